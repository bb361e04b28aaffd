/* machine.h: how much memory there is. */
#ifndef DEER_MACHINE_H
#define DEER_MACHINE_H

#include "base/base.h"

/* Bytes of memory that the machine has, or the least limit of the control groups (containers, batch
 * systems) that this process is in; SIZE_MAX when nothing tells. */
size_t deer_machine_bytes(void);

/* The least memory limit of the control groups that the file `groups` (/proc/self/cgroup) lists, in
 * the hierarchy below the folder `root` (/sys/fs/cgroup), of version 1 or 2; SIZE_MAX for none. */
size_t deer_cgroup_bytes(const char *groups, const char *root);

#endif
