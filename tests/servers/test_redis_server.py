"""The Redis server of the tests: what it keeps when it is killed."""

import pytest
import redis

from servers.redis_server import RedisServer
from servers.server_process import PORTS, ServerFailedError


@pytest.mark.parametrize(("append_only", "kept"), [(True, b"value"), (False, None)])
def test_what_is_kept_is_what_was_asked_for(tmp_path, append_only, kept):
    with RedisServer(tmp_path, append_only=append_only) as server:
        address, first = server.url, server.pid
        with redis.Redis.from_url(address) as client:
            client.set("key", "value")
        server.kill()
        with redis.Redis.from_url(address) as client, pytest.raises(redis.ConnectionError):
            client.ping()
        server.start()
        assert server.url == address
        assert server.pid != first
        with redis.Redis.from_url(address) as client:
            assert client.get("key") == kept
    assert server.port in PORTS


def test_a_frozen_server_answers_when_it_is_thawed(tmp_path):
    with RedisServer(tmp_path) as server:
        with redis.Redis.from_url(server.url, socket_timeout=0.3, retry=None) as client:
            client.ping()
            server.freeze()
            with pytest.raises(redis.TimeoutError):
                client.ping()
            server.thaw()
            assert client.ping()
        server.freeze()
    with redis.Redis.from_url(server.url) as client, pytest.raises(redis.ConnectionError):
        client.ping()


def test_a_server_with_a_password_is_ready_too(tmp_path):
    with RedisServer(tmp_path, options=("--requirepass", "secret")) as server:
        with redis.Redis.from_url(server.url.replace("//", "//:secret@")) as client:
            assert client.ping()
        with redis.Redis.from_url(server.url) as client, pytest.raises(redis.AuthenticationError):
            client.ping()


def test_a_server_that_does_not_come_up_is_explained_by_its_log(tmp_path):
    server = RedisServer(tmp_path, options=("--no-such-option", "1"))
    with pytest.raises(ServerFailedError, match="no-such-option"):
        server.__enter__()
