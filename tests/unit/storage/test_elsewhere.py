"""Instances are found wherever they lie."""

import pytest

from engine.domain.errors import StorageError
from engine.storage.elsewhere import FOLDER, instance_folders, note_elsewhere


def test_instances_are_found_in_the_usual_place_and_elsewhere(tmp_path):
    root, away = tmp_path / "usual", tmp_path / "away" / "night"
    here = root / "day"
    for folder in (here, away):
        folder.mkdir(parents=True)
        note_elsewhere(root, folder)
        note_elsewhere(root, folder)
    (root / "a file").write_text("no instance")
    assert instance_folders(root) == (away, here)
    assert len(list((root / FOLDER).iterdir())) == 1


def test_an_instance_whose_folder_is_gone_is_forgotten(tmp_path):
    root, away = tmp_path / "usual", tmp_path / "away"
    away.mkdir()
    note_elsewhere(root, away)
    away.rmdir()
    assert instance_folders(root) == ()
    assert list((root / FOLDER).iterdir()) == []


def test_where_nothing_was_ever_there_is_no_instance(tmp_path):
    assert instance_folders(tmp_path / "nowhere") == ()


def test_a_link_that_another_start_has_left_meanwhile_is_the_same(tmp_path, monkeypatch):
    away = tmp_path / "away"

    def just_made(*_args, **_kwargs):
        raise FileExistsError

    monkeypatch.setattr("pathlib.Path.symlink_to", just_made)
    note_elsewhere(tmp_path / "usual", away)


def test_a_place_that_cannot_be_used_is_named(tmp_path):
    root = tmp_path / "usual"
    root.write_text("a file in the way")
    with pytest.raises(StorageError, match="usual"):
        note_elsewhere(root, tmp_path / "away")
    with pytest.raises(StorageError, match="usual"):
        instance_folders(root)
    assert list(tmp_path.iterdir()) == [root]
