/* machine.c: how much memory there is for this process: that of the machine, or what the container
 * around it leaves. */
#include "base/machine.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* the number in a small file; SIZE_MAX when there is none, as in "max" */
static size_t read_limit(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) return SIZE_MAX;
  unsigned long long bytes;
  bool found = fscanf(file, "%llu", &bytes) == 1;
  fclose(file);
  return found && bytes < SIZE_MAX ? (size_t)bytes : SIZE_MAX;
}

/* the least limit of a group and those around it; `group` is shortened on the way to the root */
static size_t least_limit(const char *root, const char *file, char *group) {
  size_t least = SIZE_MAX;
  for (char *end = group;; *end = '\0') {
    char path[4096];
    int n = snprintf(path, sizeof path, "%s%s/%s", root, group, file);
    size_t limit = n > 0 && (size_t)n < sizeof path ? read_limit(path) : SIZE_MAX;
    least = limit < least ? limit : least;
    end = strrchr(group, '/');
    if (!end) return least;
  }
}

/* the groups of the process: a line "4:memory:/group" in the old form, "0::/group" in the new */
size_t deer_cgroup_bytes(const char *groups, const char *root) {
  FILE *file = fopen(groups, "r");
  if (!file) return SIZE_MAX;
  char line[2048], old_root[1024];
  size_t least = SIZE_MAX;
  snprintf(old_root, sizeof old_root, "%s/memory", root);
  while (fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = '\0';
    char *kind = strchr(line, ':'), *group = kind ? strchr(kind + 1, ':') : NULL;
    if (!group) continue;
    *group++ = '\0';
    size_t limit = SIZE_MAX;
    if (kind[1] == '\0') limit = least_limit(root, "memory.max", group);
    if (strcmp(kind + 1, "memory") == 0)
      limit = least_limit(old_root, "memory.limit_in_bytes", group);
    least = limit < least ? limit : least;
  }
  fclose(file);
  return least;
}

static size_t find_bytes(void) {
  long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  size_t bytes = pages > 0 && size > 0 ? (size_t)pages * (size_t)size : SIZE_MAX;
  size_t limit = deer_cgroup_bytes("/proc/self/cgroup", "/sys/fs/cgroup");
  return limit < bytes ? limit : bytes;
}

size_t deer_machine_bytes(void) {
  /* asked once; two threads that ask at the same time get the same answer */
  static atomic_size_t known;
  size_t bytes = atomic_load_explicit(&known, memory_order_relaxed);
  if (bytes > 0) return bytes;
  bytes = find_bytes();
  atomic_store_explicit(&known, bytes, memory_order_relaxed);
  return bytes;
}
