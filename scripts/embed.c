/* embed.c: runs at build time. `embed OUTPUT FILE...` writes one C file that holds the given Lua
 * files as byte arrays, with the table that src/bind/embedded.h declares. The same files give the
 * same output. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct source {
  const char *path;
  char name[512]; /* the module's name */
} source;

static void die(const char *what, const char *path) {
  fprintf(stderr, "embed: cannot %s %s: %s\n", what, path, strerror(errno));
  exit(1);
}

static int has_suffix(const char *text, size_t size, const char *suffix) {
  size_t n = strlen(suffix);
  return size >= n && memcmp(text + size - n, suffix, n) == 0;
}

/* lua/deer/cli/help.lua is deer.cli.help, lua/deer/init.lua is deer, envs/toy_env.lua is
 * envs.toy_env */
static void module_name(source *file) {
  const char *from = strncmp(file->path, "lua/", 4) == 0 ? file->path + 4 : file->path;
  size_t size = strlen(from);
  if (has_suffix(from, size, ".lua")) size -= 4;
  if (has_suffix(from, size, "/init")) size -= 5;
  if (size >= sizeof file->name) {
    errno = ENAMETOOLONG;
    die("name", file->path);
  }
  for (size_t i = 0; i < size; i++) file->name[i] = from[i];
  file->name[size] = '\0';
  for (char *c = file->name; *c; c++) {
    if (*c == '/') *c = '.';
  }
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const source *)a)->name, ((const source *)b)->name);
}

/* one array per file; the closing 0 keeps the array of an empty file legal and is not counted */
static size_t write_bytes(FILE *out, const source *file, int index) {
  FILE *in = fopen(file->path, "rb");
  if (!in) die("open", file->path);
  fprintf(out, "static const unsigned char text_%d[] = {", index);
  size_t size = 0;
  for (int c = getc(in); c != EOF; c = getc(in), size++) {
    fprintf(out, "%s%d,", size % 32 == 0 ? "\n" : "", c);
  }
  if (ferror(in)) die("read", file->path);
  fclose(in);
  fprintf(out, "0};\n");
  return size;
}

static void write_all(FILE *out, const source *files, int n) {
  size_t *sizes = calloc((size_t)n + 1, sizeof *sizes);
  if (!sizes) die("hold", "the sizes");
  fprintf(out, "/* written by scripts/embed.c */\n#include \"bind/embedded.h\"\n");
  for (int i = 0; i < n; i++) sizes[i] = write_bytes(out, &files[i], i);
  fprintf(out, "const deer_embedded deer_embedded_files[] = {\n");
  for (int i = 0; i < n; i++) {
    fprintf(out, "  {\"%s\", \"%s\", text_%d, %zu},\n", files[i].name, files[i].path, i, sizes[i]);
  }
  fprintf(out, "  {0, 0, 0, 0}};\nconst size_t deer_embedded_count = %d;\n", n);
  free(sizes);
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: embed OUTPUT FILE...\n");
    return 2;
  }
  // the order of the table is that of the names, whatever order the shell gave
  int n = argc - 2;
  source *files = calloc((size_t)n + 1, sizeof *files);
  if (!files) die("hold", "the names");
  for (int i = 0; i < n; i++) {
    files[i].path = argv[i + 2];
    module_name(&files[i]);
  }
  qsort(files, (size_t)n, sizeof *files, by_name);

  FILE *out = fopen(argv[1], "w");
  if (!out) die("open", argv[1]);
  write_all(out, files, n);
  if (fclose(out) != 0) die("write", argv[1]);
  free(files);
  return 0;
}
