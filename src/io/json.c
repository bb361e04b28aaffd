/* json.c: a JSON reader that stays in its text. */
#include "io/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t deer_utf8_sequence(const char *text) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const unsigned char *c = (const unsigned char *)text;
  if (c[0] < 0x80) return 1;
  if (c[0] < 0xc0 || c[0] > 0xf4) return 0;
  size_t n = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
  uint32_t point = c[0] & (0xffu >> (n + 1));
  // the zero byte at the end of the text is no continuation
  for (size_t i = 1; i < n; i++) {
    if ((c[i] & 0xc0) != 0x80) return 0;
    point = point << 6 | (c[i] & 0x3fu);
  }
  // too long a form, beyond Unicode, half of a pair of UTF-16
  bool good = point >= least[n] && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
  return good ? n : 0;
}

static deer_status expected(const deer_json *json, const char *what) {
  return deer_fail(DEER_EDATA, "byte %zu: expected %s%s", (size_t)(json->at - json->text), what,
                   *json->at ? "" : ", but there the text ends");
}

/* The next character that is not blank. */
static char peek(deer_json *json) {
  while (*json->at && strchr(" \t\r\n", *json->at)) json->at++;
  return *json->at;
}

/* Takes the character if it is next. */
static bool take(deer_json *json, char c) {
  if (peek(json) != c) return false;
  json->at++;
  return true;
}

/* ---- strings ---- */

/* The value of four hexadecimal digits, -1 when they are none. */
static int32_t hex4(const char *digits) {
  static const char all[] = "0123456789abcdef0123456789ABCDEF";
  int32_t value = 0;
  for (int i = 0; i < 4; i++) {
    const char *at = digits[i] ? strchr(all, digits[i]) : NULL;
    if (!at) return -1;
    value = value * 16 + (int32_t)(at - all) % 16;
  }
  return value;
}

/* Writes a code point as UTF-8; returns the place behind it. */
static char *put_point(char *to, uint32_t point) {
  static const uint32_t marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
  unsigned n = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  // six bits for each byte but the first
  for (unsigned i = n - 1; i > 0; i--) {
    to[i] = (char)(0x80 | (point & 0x3f));
    point >>= 6;
  }
  to[0] = (char)(marks[n] | point);
  return to + n;
}

/* Resolves the \u escape whose digits come next, or a pair of them. */
static deer_status take_point(deer_json *json, char **to) {
  int32_t high = hex4(json->at), low = 0;
  if (high <= 0) return expected(json, "four hexadecimal digits, not 0000");
  json->at += 4;
  if (high >= 0xd800 && high <= 0xdfff) {
    // two halves of one character
    if (high < 0xdc00 && json->at[0] == '\\' && json->at[1] == 'u') low = hex4(json->at + 2);
    if (low < 0xdc00 || low > 0xdfff) return expected(json, "two surrogates");
    json->at += 6;
    high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
  }
  *to = put_point(*to, (uint32_t)high);
  return DEER_OK;
}

/* Resolves the escape whose character comes next; nothing gets longer by it. */
static deer_status take_escape(deer_json *json, char **to) {
  static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
  char c = *json->at;
  if (c == 'u') {
    json->at++;
    return take_point(json, to);
  }
  const char *letter = c ? strchr(letters, c) : NULL;
  if (!letter) return expected(json, "an escape");
  json->at++;
  *(*to)++ = meanings[letter - letters];
  return DEER_OK;
}

deer_status deer_json_string(deer_json *json, char **string) {
  if (!take(json, '"')) return expected(json, "a string");
  // what is read is never behind what is written
  char *to = *string = json->at;
  while (*json->at != '"') {
    if (*json->at == '\\') {
      json->at++;
      DEER_TRY(take_escape(json, &to));
      continue;
    }
    size_t n = deer_utf8_sequence(json->at);
    // the end of the text is one of the control characters
    if (n == 0 || (unsigned char)*json->at < ' ') return expected(json, "text in UTF-8, then '\"'");
    memmove(to, json->at, n);
    to += n;
    json->at += n;
  }
  json->at++;
  *to = '\0';
  return DEER_OK;
}

/* ---- the rest ---- */

deer_status deer_json_object(deer_json *json, deer_json_member *member, void *context) {
  if (!take(json, '{')) return expected(json, "'{'");
  if (take(json, '}')) return DEER_OK;
  do {
    char *key;
    DEER_TRY(deer_json_string(json, &key));
    if (!take(json, ':')) return expected(json, "':'");
    DEER_TRY(member(json, key, context));
  } while (take(json, ','));
  return take(json, '}') ? DEER_OK : expected(json, "',' or '}'");
}

static deer_status take_number(deer_json *json, uint64_t *number) {
  char c = peek(json);
  if (c < '0' || c > '9') return expected(json, "a whole number from 0");
  *number = (uint64_t)(c - '0');
  json->at++;
  // nothing follows a 0 at the start
  for (; *number > 0 && *json->at >= '0' && *json->at <= '9'; json->at++) {
    uint64_t digit = (uint64_t)(*json->at - '0');
    if (*number > (UINT64_MAX - digit) / 10) return expected(json, "a smaller number");
    *number = *number * 10 + digit;
  }
  return DEER_OK;
}

deer_status deer_json_numbers(deer_json *json, uint64_t *numbers, size_t most, size_t *n) {
  *n = 0;
  if (!take(json, '[')) return expected(json, "'['");
  if (take(json, ']')) return DEER_OK;
  do {
    if (*n == most) return expected(json, "no more numbers");
    DEER_TRY(take_number(json, &numbers[(*n)++]));
  } while (take(json, ','));
  return take(json, ']') ? DEER_OK : expected(json, "',' or ']'");
}

deer_status deer_json_list(deer_json *json, deer_json_element *element, void *context) {
  if (!take(json, '[')) return expected(json, "'['");
  if (take(json, ']')) return DEER_OK;
  do {
    DEER_TRY(element(json, context));
  } while (take(json, ','));
  return take(json, ']') ? DEER_OK : expected(json, "',' or ']'");
}

/* ---- values of any kind ---- */

char deer_json_next(deer_json *json) {
  char c = peek(json);
  if (c == '-' || (c >= '0' && c <= '9')) return '0';
  return c && strchr("{[\"tfn", c) ? c : 0;
}

/* Behind the digits at `text`, which is `text` itself when there are none. */
static const char *skip_digits(const char *text) { return text + strspn(text, "0123456789"); }

deer_status deer_json_number(deer_json *json, double *number, bool *whole) {
  peek(json);
  const char *digits = json->at + (*json->at == '-'), *end = skip_digits(digits);
  *whole = true;
  // nothing follows a 0 at the start
  if (end == digits || (*digits == '0' && end > digits + 1)) return expected(json, "a number");
  if (*end == '.') {
    digits = end + 1;
    end = skip_digits(digits);
    if (end == digits) return expected(json, "a number");
    *whole = false;
  }
  if (*end == 'e' || *end == 'E') {
    digits = end + 1 + (end[1] == '+' || end[1] == '-');
    end = skip_digits(digits);
    if (end == digits) return expected(json, "a number");
    *whole = false;
  }
  char *read;
  *number = strtod(json->at, &read);
  // a locale with another decimal point reads less
  if (read != end || !isfinite(*number)) return expected(json, "a finite number");
  json->at += end - json->at;
  return DEER_OK;
}

deer_status deer_json_word(deer_json *json, const char *word) {
  peek(json);
  size_t n = strlen(word);
  if (strncmp(json->at, word, n) != 0) return expected(json, "true, false or null");
  json->at += n;
  return DEER_OK;
}

deer_status deer_json_end(deer_json *json, size_t size) {
  peek(json);
  return json->at == json->text + size ? DEER_OK : expected(json, "the end");
}
