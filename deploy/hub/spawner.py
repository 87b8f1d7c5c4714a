"""Each student's server: a process of this computer, under a number of its own where root runs the hub."""

import os
from pathlib import Path

from jupyterhub.spawner import LocalProcessSpawner
from traitlets import Bool, Unicode

from deploy.hub import class_list


class StudentSpawner(LocalProcessSpawner):
    """Starts a student's server in the student's folder, which nobody else can open.

    Where root runs the hub, the server and its kernels run under the number of the class list, so the operating system
    keeps students apart without an account for each. Under any other user, all servers are that user's. Where systemd
    runs, it holds server and kernels together to `mem_limit` and `cpu_limit`.
    """

    path = Unicode(config=True, help="The class list.")
    students = Unicode(config=True, help="The folder of the students' folders.")
    is_root = Bool(config=True, help="Whether each student gets a number of the system.")
    has_systemd = Bool(config=True, help="Whether systemd can limit memory and processor.")

    @property
    def home(self):
        """The student's folder."""
        return Path(self.students) / self.user.name

    def user_env(self, env):
        """Name the student and the folder to what is started."""
        temporary = str(self.home / ".tmp")  # names of files in a shared /tmp tell others what one does
        return env | {"USER": self.user.name, "LOGNAME": self.user.name, "HOME": str(self.home), "TMPDIR": temporary}

    def make_preexec_fn(self, name):
        """Nothing runs between fork and exec: Popen itself changes the user."""
        return None

    async def start(self):
        """Make the student's folder, and start the server in it."""
        student = class_list.read(self.path)[self.user.name]
        self.home.mkdir(mode=0o700, exist_ok=True)
        self.popen_kwargs = {"cwd": self.home, "umask": 0o077}
        cmd, self.cmd = self.cmd, [*self._limits(), *self._person(student), *self.cmd]
        try:
            return await super().start()
        finally:
            self.cmd = cmd

    def _person(self, student):
        """Change to the student's number: at once, or after systemd, which root must ask for limits."""
        if not self.is_root:
            return []
        if self.home.stat().st_uid not in (0, student.number):
            raise RuntimeError(f"{self.home} belongs to {self.home.stat().st_uid}, not to {student.number}.")
        os.chown(self.home, student.number, student.number)
        if self.has_systemd:
            number = str(student.number)
            return ["setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups", "--no-new-privs"]
        self.popen_kwargs |= {"user": student.number, "group": student.number, "extra_groups": []}
        return []

    def _limits(self):
        if not (self.is_root and self.has_systemd):
            return []
        limits = {"MemoryMax": self.mem_limit, "CPUQuota": self.cpu_limit and f"{self.cpu_limit:.0%}"}
        given = [f"--property={name}={value}" for name, value in limits.items() if value]
        return ["systemd-run", "--scope", "--quiet", "--collect", "--slice=course", *given]
