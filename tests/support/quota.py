"""What one lease is given where its shares are not what is tested."""

from mailstack.model.queue_share import Quota


def quota(limit: int) -> Quota:
    return Quota(limit=limit, free=limit, per_lane=limit)
