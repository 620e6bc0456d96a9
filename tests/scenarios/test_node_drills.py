"""Drills: one thing of a cluster goes wrong under load. What was taken is there once, and mail flows on by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cluster import NATS, RELAY, S3, Cluster, running_cluster
from tests.support.cluster_load import left, under_load
from tests.support.fronts import Mood
from tests.support.sandbox import wait_for

# One cluster for all of them.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("drills")]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


def test_a_node_is_killed_and_the_other_goes_on(cluster: Cluster) -> None:
    with under_load(cluster, "killed") as load:
        cluster.nodes[0].become(Mood.SILENT, RELAY)
        relay = cluster.nodes[0].fronts[RELAY]
        wait_for(lambda: relay.waiting, what="it attempts something from the queue")
        cluster.nodes[0].kill()
        cluster.nodes[0].become(Mood.PASSING)
        load.wait_until_flowing(1, more=20)
        cluster.nodes[0].start()
        cluster.nodes[0].wait_until_serving()
        load.wait_until_flowing()


def test_the_database_crashes_and_comes_back(cluster: Cluster) -> None:
    with under_load(cluster, "crash") as load:
        for _ in range(3):
            cluster.postgres.restart()
            load.wait_until_flowing()


def test_the_bucket_answers_503_for_a_while(cluster: Cluster) -> None:
    with under_load(cluster, "busy") as load:
        for node in cluster.nodes:
            node.become(Mood.BUSY, S3)
        wait_for(lambda: all(node.fronts[S3].refused for node in cluster.nodes), what="both nodes ask it")
        wait_for(lambda: any(sender.deferred for sender in load.senders), what="a large message is put off")
        load.wait_until_flowing(more=15)  # small messages need no bucket
        for node in cluster.nodes:
            node.become(Mood.PASSING, S3)
        load.wait_until_flowing(more=15)


def test_nats_is_gone_and_comes_back(cluster: Cluster) -> None:
    with under_load(cluster, "nats") as load:
        cluster.nats.kill()
        load.wait_until_flowing(more=20)
        cluster.nats.start()
        load.wait_until_flowing()
        for mood in (Mood.SILENT, Mood.PASSING):
            for node in cluster.nodes:
                node.become(mood, NATS)
            load.wait_until_flowing()


def test_a_node_is_cut_off_and_comes_back(cluster: Cluster) -> None:
    with under_load(cluster, "cut") as load:
        cluster.nodes[0].become(Mood.SILENT)
        load.wait_until_flowing(1, more=20)
        cluster.nodes[0].become(Mood.PASSING)
        load.wait_until_flowing()


def test_of_two_applies_on_two_nodes_each_is_done_whole_or_refused(cluster: Cluster) -> None:
    with under_load(cluster, "applies") as load:
        before = cluster.nodes[0].generation
        applies = [node.apply(f"more{number}") for number, node in enumerate(cluster.nodes)]
        told = [process.communicate(timeout=120)[1].decode() for process in applies]
        codes = [process.returncode for process in applies]
        assert codes.count(0) >= 1, told
        for code, text in zip(codes, told, strict=True):
            assert code == 0 or (code == 1 and "plan again" in text), text
        load.wait_until_flowing()
        newest = before + codes.count(0)
        wait_for(lambda: [node.generation for node in cluster.nodes] == [newest] * 2, what="one generation")


def test_clocks_ten_minutes_apart_make_no_difference(tmp_path: Path) -> None:
    with running_cluster(tmp_path, clocks_ahead_s=(300, -300)) as cluster:
        with under_load(cluster, "clocks") as load:
            load.wait_until_flowing(more=40)
        assert all("this machine's clock differs from the database's" in node.log for node in cluster.nodes)
        assert sorted(set(left(cluster))) == sorted(left(cluster))  # nobody took another's lease for one that had ended
