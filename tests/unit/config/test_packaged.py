"""Files are found in a checkout and in a wheel; an instance has its folder and a short private socket."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from engine.config import packaged
from engine.config.packaged import (
    SOCKET_PATH_MAX,
    absolute,
    columns_dir,
    data_path,
    did_you_mean,
    file_path,
    instance_dir,
    named_file,
    named_files,
    play_path,
    socket_path,
    user_config_dir,
)
from engine.config.settings import Settings
from engine.domain.errors import ConfigError

OURS = f"trader-tui-{os.getuid()}"
LONG = "d" * 200


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def short():
    """A folder with a name short enough for sockets, however deep pytest works."""
    with tempfile.TemporaryDirectory(prefix="tt", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def runtime(short, monkeypatch):
    monkeypatch.setattr(packaged, "SHORT_DIR", short)
    return short


def test_a_checkout_finds_its_files():
    assert data_path("configs/default.yaml").is_file()
    assert data_path("themes").is_dir()


def test_a_wheel_finds_its_files(tmp_path, monkeypatch):
    (tmp_path / "_data" / "configs").mkdir(parents=True)
    (tmp_path / "_data" / "configs" / "default.yaml").write_text("")
    monkeypatch.setattr(packaged, "files", lambda _package: tmp_path)
    assert data_path("configs/default.yaml") == tmp_path / "_data" / "configs" / "default.yaml"


@pytest.mark.parametrize("name", ["configs/none.yaml", "pyproject.toml", "configs/../README.md", ""])
def test_what_does_not_ship_is_refused(name):
    with pytest.raises(ConfigError, match="does not ship"):
        data_path(name)


def test_a_file_of_the_users_own_wins_over_the_shipped_one(home):
    own = user_config_dir() / "profiles"
    own.mkdir(parents=True)
    (own / "paper.yaml").write_text("")
    found = named_files("configs", "profiles")
    assert found["paper"] == own / "paper.yaml"
    assert found["live"] == data_path("configs/live.yaml")


def test_an_unknown_name_gets_a_suggestion_or_the_list(home):
    with pytest.raises(ConfigError, match="no profile named 'lvie'; did you mean 'live'"):
        named_file("configs", "profiles", "lvie", "profile")
    with pytest.raises(ConfigError, match=r"there is .*live, paper"):
        named_file("configs", "profiles", "zzz", "profile")
    assert did_you_mean("x", []) == ""


def test_a_play_is_a_file_or_a_name(home, tmp_path):
    own = user_config_dir() / "plays"
    own.mkdir(parents=True)
    (own / "mine.yaml").write_text("")
    (tmp_path / "here.yaml").write_text("")
    assert play_path("here.yaml", tmp_path) == tmp_path / "here.yaml"
    assert play_path("mine", tmp_path) == own / "mine.yaml"
    for missing in ("gone.yaml", "plays/gone"):
        with pytest.raises(ConfigError, match="there is no file /"):
            play_path(missing, tmp_path)


def test_paths_are_made_absolute_without_following_links(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert absolute("~/a.yaml", tmp_path) == tmp_path / "home" / "a.yaml"
    assert absolute("../a.yaml", tmp_path / "x") == tmp_path / "a.yaml"
    with pytest.raises(ConfigError, match="there is no file"):
        file_path("a.csv", tmp_path)


def test_each_instance_has_its_own_folder(home, tmp_path):
    assert instance_dir(Settings(instance="one")) == home / "state" / "trader-tui" / "one"
    assert instance_dir(Settings(instance="one", state_dir=tmp_path)) == tmp_path / "one"


def test_a_socket_lies_in_the_folder_of_its_instance(short):
    assert socket_path(short / "default") == short / "default" / "engine.sock"


def test_a_folder_with_a_long_name_has_a_short_private_socket_known_by_it_alone(runtime, tmp_path):
    deep = tmp_path / ("d" * 200)
    path = socket_path(deep)
    assert path.parent == runtime / OURS
    assert path == socket_path(deep) != socket_path(tmp_path / ("e" * 200))
    assert len(os.fsencode(path)) <= SOCKET_PATH_MAX
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_no_environment_moves_a_socket(runtime, monkeypatch, short):
    before = socket_path(short), socket_path(short / ("d" * 200))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
    monkeypatch.setenv("TMPDIR", str(short))
    assert (socket_path(short), socket_path(short / ("d" * 200))) == before


def test_a_directory_that_others_can_enter_is_refused(runtime, tmp_path):
    (runtime / OURS).mkdir(mode=0o755)
    with pytest.raises(ConfigError, match="not ours alone"):
        socket_path(tmp_path / LONG)


def test_a_link_in_place_of_the_directory_is_refused(runtime, tmp_path):
    (runtime / OURS).symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="not ours alone"):
        socket_path(tmp_path / LONG)


def test_a_directory_that_cannot_be_made_is_named(runtime, tmp_path):
    (runtime / OURS).write_text("")
    with pytest.raises(ConfigError, match=r"trader-tui-\d+: the runtime directory cannot be made"):
        socket_path(tmp_path / LONG)


def test_columns_are_kept_where_the_user_keeps_caches(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert columns_dir() == tmp_path / "trader-tui" / "columns"
    assert not columns_dir().exists()


def test_what_is_there_but_no_file_is_told_for_what_it_is(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for name, told in ((".", "is a directory, not a file"), ("pipe.csv", "is no regular file")):
        with pytest.raises(ConfigError, match=told):
            file_path(name, tmp_path)
