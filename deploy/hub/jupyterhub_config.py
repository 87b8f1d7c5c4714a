"""JupyterHub for one class on one computer: `make hub`. What can be set, and what it protects: README.md, beside this file."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deploy.hub import settings
from deploy.hub.authenticator import ClassListAuthenticator
from deploy.hub.class_list import default_path
from deploy.hub.spawner import StudentSpawner

c = get_config()  # noqa: F821 - JupyterHub defines it

ROOT, FOLDER = settings.ROOT, default_path().parent
PYTHON, DATA = settings.python(os.environ), settings.data(os.environ)
IDLE = int(settings.amount(os.environ, "COURSE_HUB_IDLE", 3600))

c.JupyterHub.bind_url = settings.address(os.environ)
c.JupyterHub.ssl_cert = os.environ.get("COURSE_HUB_CERTIFICATE", "")
c.JupyterHub.ssl_key = os.environ.get("COURSE_HUB_KEY", "")
settings.check(FOLDER, PYTHON, DATA, is_root=settings.is_root(), trusts=os.environ.get("COURSE_HUB_TRUST") == "1")
settings.make_folders(FOLDER)
if not settings.is_root():
    print("Not root: every student can read and change the others' files, and the class list.", file=sys.stderr)

# What the hub remembers; students can't open the folder.
c.JupyterHub.db_url = f"sqlite:///{FOLDER}/hub/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = f"{FOLDER}/hub/cookie_secret"
c.ConfigurableHTTPProxy.pid_file = f"{FOLDER}/hub/proxy.pid"
c.ConfigurableHTTPProxy.command = [str(ROOT / "build/hub/node_modules/.bin/configurable-http-proxy")]

c.JupyterHub.authenticator_class = ClassListAuthenticator
c.ClassListAuthenticator.path = f"{FOLDER}/list"
c.ClassListAuthenticator.allow_all = True  # whom the list lets in
c.ClassListAuthenticator.refresh_pre_spawn = True

c.JupyterHub.spawner_class = StudentSpawner
c.StudentSpawner.path = f"{FOLDER}/list"
c.StudentSpawner.students = f"{FOLDER}/students"
c.StudentSpawner.is_root = settings.is_root()
c.StudentSpawner.has_systemd = settings.has_systemd()
c.StudentSpawner.mem_limit = os.environ.get("COURSE_HUB_MEMORY", "4G")
c.StudentSpawner.cpu_limit = settings.amount(os.environ, "COURSE_HUB_CORES", 2)
c.StudentSpawner.cmd = [str(PYTHON), "-m", "deploy.hub.student_server"]
c.StudentSpawner.default_url = "/lab/tree/my/00_start_here.ipynb"
c.StudentSpawner.start_timeout = c.StudentSpawner.http_timeout = 300  # when a whole class logs in at once
c.StudentSpawner.poll_interval = 5  # seconds until a server that died can be started again
c.StudentSpawner.env_keep = ["LANG", "LC_ALL", "PATH"]
c.StudentSpawner.environment = {
    "PYTHONPATH": str(ROOT),
    "JUPYTER_CONFIG_PATH": str(ROOT / "tools" / "jupyter"),  # as `make lab` has it
    "COURSE_DATA": str(DATA),
    "COURSE_OFFLINE": "1",  # students can't write to the data folder, and thirty need not fetch
    "SHELL": "/bin/bash",
}
# An idle kernel ends also while its tab is open: a student who has opened every lesson would keep a dozen.
c.StudentSpawner.args = [
    f"--MappingKernelManager.cull_idle_timeout={IDLE}",
    "--MappingKernelManager.cull_connected=True",
]

# An idle server ends; the work stays, and the next visit starts it again.
c.JupyterHub.services = [
    {"name": "idle", "command": [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={IDLE}"]}
]
c.JupyterHub.load_roles = [
    {
        "name": "idle",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle"],
    }
]
