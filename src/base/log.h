/* log.h: messages that are neither results nor errors. The core hands them to one sink; the program
 * that embeds it decides where they go. The default sink drops them. */
#ifndef DEER_LOG_H
#define DEER_LOG_H

#include "base/base.h"

typedef enum deer_log_level { DEER_LOG_DEBUG, DEER_LOG_INFO, DEER_LOG_WARNING } deer_log_level;
typedef void deer_log_sink(void *context, deer_log_level level, const char *message);

/* `sink` NULL restores the silent default. Not thread safe: set it once, at start. */
void deer_log_set(deer_log_sink *sink, void *context, deer_log_level least);

/* Hands a formatted message, cut at 1023 bytes, to the sink unless it is below `least`. */
void deer_log_write(deer_log_level level, const char *format, ...) DEER_PRINTF(2, 3);

#endif
