/* log.c: one sink for messages. */
#include "base/log.h"

#include <stdio.h>

static struct {
  deer_log_sink *sink;
  void *context;
  deer_log_level least;
} target;

void deer_log_set(deer_log_sink *sink, void *context, deer_log_level least) {
  target.sink = sink;
  target.context = context;
  target.least = least;
}

void deer_log_write(deer_log_level level, const char *format, ...) {
  if (!target.sink || level < target.least) return;
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  target.sink(target.context, level, text);
}
