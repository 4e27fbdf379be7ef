"""Cuts the power of an ext4 file system: EXT4_IOC_SHUTDOWN without flushing the journal.

Everything written and not synced is gone when it is mounted again. Usage: power_cut.py MOUNT_POINT
Says "ready" and cuts when it is told to by a line on its standard input, or by the end of it.
"""

import fcntl
import os
import struct
import sys

EXT4_IOC_SHUTDOWN = (2 << 30) | (4 << 16) | (ord("X") << 8) | 125  # _IOR('X', 125, __u32)
NOLOGFLUSH = 2

root = os.open(sys.argv[1], os.O_RDONLY)
print("ready", flush=True)
sys.stdin.readline()
fcntl.ioctl(root, EXT4_IOC_SHUTDOWN, struct.pack("I", NOLOGFLUSH))
