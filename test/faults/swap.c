/*
 * Swaps names for links, over and over, until it is ended:
 *
 *   swap OUTSIDE DIRECTORY PATTERN…
 *
 * What matches a pattern in DIRECTORY (`NAME` or `FOLDER/NAME`, with stars in NAME) changes places with a link to OUTSIDE
 * and changes back a moment later; nobody ever sees the name missing. On SIGTERM everything is in its own place again.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t is_over;

static void end(int signal) {
  (void)signal;
  is_over = 1;
}

static int exchange(const char *one, const char *other) {
  return renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
}

/* A link may be swapped too: what it led to is of no interest. */
static void swap(const char *path, const char *outside, const char *link) {
  unlink(link);
  if (symlink(outside, link) != 0 || exchange(path, link) != 0) return;
  usleep(rand() % 400);
  exchange(path, link);
}

static void swap_all(const char *outside, const char *directory, const char *pattern) {
  char folder[PATH_MAX], path[2 * PATH_MAX], link[2 * PATH_MAX];
  const char *slash = strrchr(pattern, '/'), *name = slash == NULL ? pattern : slash + 1;
  snprintf(folder, sizeof folder, "%s/%.*s", directory, slash == NULL ? 0 : (int)(slash - pattern), pattern);
  DIR *list = opendir(folder);
  if (list == NULL) return;
  for (struct dirent *it; (it = readdir(list)) != NULL && !is_over;) {
    if (strcmp(it->d_name, ".") == 0 || strcmp(it->d_name, "..") == 0 || fnmatch(name, it->d_name, 0) != 0) continue;
    snprintf(path, sizeof path, "%s/%s", folder, it->d_name);
    snprintf(link, sizeof link, "%s/swapped", directory);
    swap(path, outside, link);
  }
  closedir(list);
}

int main(int count, char **arguments) {
  if (count < 4) return 2;
  signal(SIGTERM, end);
  srand(getpid());
  while (!is_over) {
    for (int i = 3; i < count; i++) swap_all(arguments[1], arguments[2], arguments[i]);
    usleep(rand() % 100);
  }
  return 0;
}
