"""A push that is killed at any moment and started again leaves the server as one clean push does."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from cvat_faults import line_to
from cvat_server_builders import annotate, box, contents, film, label_number, make_task, track

from burnish.cvat.connection import connect
from burnish.cvat.login import Login
from burnish.cvat.pull import pull
from burnish.formats.recognise import open_dataset, write_dataset
from burnish.testing.cvat import cvat_server
from burnish.testing.datasets import boxes_dataset

KILLS = 20
OPTIONS = ("--piece", "3", "--job-size", "4", "--overlap", "1")


def start(dataset, url, token):
    """The real command in a process of its own."""
    command = [sys.executable, "-m", "burnish", "push", str(dataset), url, "--quiet", *OPTIONS]
    environment = {**os.environ, "CVAT_TOKEN": token}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process):
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output


def fill_new(connection, folder):
    """A dataset for a server that has nothing yet; gives the place on the server."""
    del connection
    write_dataset(boxes_dataset(folder / "cars", pictures=7), folder / "ours", "burnish", media="copy")
    return ""


def fill_known(connection, folder):
    """A dataset whose video with tracks was pulled and then changed: something to make, to change and to delete in both jobs."""
    clip = film(folder / "clip.mp4", 10)
    task = make_task(connection, [("clip.mp4", clip.read_bytes())], segment_size=6, overlap=2, name="film")
    car = label_number(connection, task, "car")
    for job in task.below:
        first = job.about["start_frame"]
        annotate(job, shapes=[box(car, first + n % 3) for n in range(6)], tracks=[track(car, (first, 3.0, False), (first + 2, 9.0, True))])
    pull(task.url, login=Login(token=connection.headers["Authorization"].split()[1])).save(folder / "pulled")
    dataset = open_dataset(folder / "pulled")
    rows = dataset.annotations.with_columns(x1=pl.when(pl.col("id") % 2 == 0).then(pl.col("x1") - 1.5).otherwise("x1"))
    gone = rows.filter(pl.col("track").is_null())["id"].head(3).implode()
    new = rows.filter(pl.col("track").is_null()).tail(4).with_columns(id=pl.col("id") + 1000, y1=pl.col("y1") + 2)
    changed = dataset.with_tables(annotations=pl.concat([rows.filter(~pl.col("id").is_in(gone)), new]))
    write_dataset(changed, folder / "ours", "burnish", media="copy")
    return f"/tasks/{task.id}"


def one_push(folder, fill, kill_at):
    """Push to a fresh server, the first try killed at one of its requests; what the server holds in the end, and the requests of a try."""
    with cvat_server(users={"admin": "a password"}, polls=0) as server, line_to(server.url) as line:
        account = server.users["admin"]
        connection = connect(server.url, login=Login(token=account.token))
        place = fill(connection, folder)
        _to_line(folder / "ours", server.url, line.url)
        process = start(folder / "ours", line.url + place, account.token)

        def fault(_method, _path):
            if kill_at is not None and len(line.seen) == kill_at[0]:
                process.send_signal(signal.SIGKILL)
                return kill_at[1]
            return None

        line.fault = fault
        if kill_at is None:
            finish(process)
        else:
            process.communicate(timeout=120)
            assert process.returncode == -signal.SIGKILL
            line.fault = lambda _method, _path: None
            finish(start(folder / "ours", line.url + place, account.token))
        return contents(connection), len(line.seen)


def _to_line(dataset, address, line):
    """A dataset that was pulled directly belongs to the same server as it is reached over the line."""
    opened = open_dataset(dataset)
    extras = opened.extras.with_columns(pl.col("value").str.replace_all(address, line, literal=True))
    write_dataset(opened.with_tables(extras=extras), dataset.with_name("named"), "burnish", media="copy")
    dataset.rename(dataset.with_name("former"))
    dataset.with_name("named").rename(dataset)


@pytest.mark.slow
@pytest.mark.parametrize("fill", [fill_new, fill_known])
def test_a_killed_push_that_is_started_again_ends_as_a_clean_one(fill, tmp_path):
    (tmp_path / "clean").mkdir()
    clean, requests = one_push(tmp_path / "clean", fill, None)
    draw = random.Random(11)  # noqa: S311 - moments, no secrets
    for trial in range(KILLS // 2):
        folder = Path(tmp_path / f"trial {trial}")
        folder.mkdir()
        moment = draw.randint(1, requests), draw.choice(["lost", "unanswered"])
        found, _ = one_push(folder, fill, moment)
        assert found == clean, moment
