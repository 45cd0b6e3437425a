"""A CVAT server for tests: the REST API of CVAT 2.73 on loopback, with its state in memory.

```python
from burnish.testing.cvat import cvat_server

with cvat_server() as server:
    client_under_test(server.url, server.users["admin"].token)
```

`python -m burnish.testing.cvat` runs it by itself. Needs `pip install 'burnish[cvat]'`.
"""

from burnish.testing.cvat.server import Account, Server, cvat_server

__all__ = ["Account", "Server", "cvat_server"]
