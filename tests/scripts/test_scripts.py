import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from video_builders import number_of, write_clip

from burnish.media.video import open_video, probe_video
from burnish.video.cut import read_part_map

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
SOURCE = SCRIPTS.parent / "src"
ENVIRONMENT = {**os.environ, "PYTHON": sys.executable, "PYTHONPATH": str(SOURCE), "PATH": "/usr/bin:/bin"}


def run(script, *arguments, cwd, timeout=60):
    command = [str(SCRIPTS / script), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False, env=ENVIRONMENT)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    groups = {"x264-params": "keyint=10:min-keyint=10:bframes=2:scenecut=0"}
    return write_clip(tmp_path_factory.mktemp("clips") / "my street.mp4", 60, options=groups)


@pytest.fixture
def street(clip, tmp_path):
    return Path(shutil.copy(clip, tmp_path))


def shown(folder):
    parts = sorted(folder.glob("my street-[0-9]*.mp4"))
    numbers = []
    for part in parts:
        with open_video(part) as video:
            numbers += [number_of(frame.pixels) for frame in video.frames()]
    return len(parts), numbers


@pytest.mark.parametrize(("limit", "parts"), [("7000", None), ("7k", None), ("0.8s", 3), ("0:00:01", 3), ("1e9", 1)])
def test_split_video_cuts_by_size_or_time_and_nothing_is_lost(street, limit, parts):
    done = run("split-video.sh", street, limit, cwd=street.parent)
    assert done.returncode == 0, done.stderr
    count, numbers = shown(street.parent)
    assert numbers == list(range(60))
    assert count == parts if parts else count > 1
    assert read_part_map(street.with_name("my street-cut.json")).frames == 60
    assert not list(street.parent.glob(".*"))


def test_split_video_takes_ffmpeg_s_options(street):
    done = run("split-video.sh", street, "0.52s", "-c:v", "libx264", "-crf", "18", cwd=street.parent)
    assert done.returncode == 0, done.stderr
    assert shown(street.parent)[1] == list(range(60))
    assert probe_video(street.with_name("my street-1.mp4")).frames == 13


def test_split_video_says_what_is_wrong_and_touches_nothing(street):
    for arguments, message in ((["x"], "neither a size"), (["1:x"], "no time"), (["9k", "-c:v", "divx"], "'divx' is not known")):
        done = run("split-video.sh", street, *arguments, cwd=street.parent)
        assert (done.returncode, message in done.stderr) == (2, True)
    assert run("split-video.sh", "no.mp4", cwd=street.parent).returncode == 2
    street.with_name("my street-1.mp4").write_bytes(b"mine")
    assert "is there already" in run("split-video.sh", street, "7k", cwd=street.parent).stderr
    assert street.with_name("my street-1.mp4").read_bytes() == b"mine"


def counting(folder, enough):
    """A command that fails until it was called often enough."""
    path = folder / "count.sh"
    path.write_text(f'echo x >> runs; test "$(wc -l < runs)" -ge {enough} || exit 7\n', encoding="utf-8")
    return ["bash", str(path)]


def test_rerun_repeats_until_success_and_shows_a_banner(tmp_path):
    done = run("rerun.sh", "--pause", "0.05", *counting(tmp_path, 3), cwd=tmp_path)
    assert (done.returncode, (tmp_path / "runs").read_text("utf-8").count("x")) == (0, 3)
    assert "run 2 of: bash" in done.stderr


def test_rerun_gives_up_when_told_with_the_command_s_code(tmp_path):
    done = run("rerun.sh", "--pause", "0.05", "--backoff", "--max", "2", *counting(tmp_path, 9), cwd=tmp_path)
    assert (done.returncode, (tmp_path / "runs").read_text("utf-8").count("x")) == (7, 2)


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_rerun_starts_a_running_command_anew_when_code_changes(tmp_path):
    (tmp_path / "code.py").write_text("1", encoding="utf-8")
    log = tmp_path / "log.txt"
    command = ["--on-change", "--max", "2", "--pause", "0.1", "bash", "-c", "echo began >> log.txt; exec sleep 30"]
    with subprocess.Popen([str(SCRIPTS / "rerun.sh"), *command], cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        wait_for(log.exists)
        time.sleep(0.3)
        (tmp_path / "code.py").write_text("1234", encoding="utf-8")
        wait_for(lambda: log.read_text("utf-8").count("began") == 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 128 + signal.SIGTERM


def test_rerun_passes_signals_on_and_ends(tmp_path):
    program = "trap 'echo told > told; exit 3' TERM; echo on > on; while :; do sleep 0.1; done"
    with subprocess.Popen([str(SCRIPTS / "rerun.sh"), "bash", "-c", program], cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        wait_for((tmp_path / "on").exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 3
    assert (tmp_path / "told").exists()


def test_show_prints_the_last_lines_of_files_masks_and_folders(tmp_path):
    (tmp_path / "nohup.out").write_text("".join(f"line {n}\n" for n in range(50)), encoding="utf-8")
    assert run("show.sh", "--once", cwd=tmp_path).stdout.split("=====\n")[1].splitlines() == [f"line {n}" for n in range(30, 50)]
    (tmp_path / "a b.log").write_text("bar 10%\rbar 90%\n", encoding="utf-8")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/best.pt").write_bytes(bytes(1234))
    said = run("show.sh", "--once", "--lines", "3", "*.log", "weights", cwd=tmp_path).stdout
    assert "===== a b.log =====\nbar 90%\n" in said
    assert "1234" in said
    assert "best.pt" in said


def test_show_leaves_old_files_out_and_says_so(tmp_path):
    (tmp_path / "old.log").write_text("old\n", encoding="utf-8")
    os.utime(tmp_path / "old.log", (0, 0))
    assert run("show.sh", "--once", "old.log", cwd=tmp_path).stdout == "1 files have not changed for 10000 seconds; --age 0 shows them.\n"
    assert "old\n" in run("show.sh", "--once", "--age", "0", "old.log", cwd=tmp_path).stdout
    assert run("show.sh", "--once", "no.log", cwd=tmp_path).stdout == "Nothing is there yet: no.log\n"


def test_show_follows_a_log_that_is_replaced(tmp_path):
    log = tmp_path / "run.log"
    log.write_text("first\n", encoding="utf-8")
    command = [str(SCRIPTS / "show.sh"), "--every", "0.1", "run.log"]
    with (
        (tmp_path / "screen").open("wb") as screen,
        subprocess.Popen(command, cwd=tmp_path, stdout=screen, start_new_session=True) as process,
    ):
        wait_for(lambda: b"first" in (tmp_path / "screen").read_bytes())
        log.rename(tmp_path / "run.log.1")
        log.write_text("second\n", encoding="utf-8")
        wait_for(lambda: b"second" in (tmp_path / "screen").read_bytes())
        os.killpg(process.pid, signal.SIGTERM)
