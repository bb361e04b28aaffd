/* test_conv.c: the kernels of convolutions: right for every geometry, the same bits for AVX2 and
 * AVX-512, in any batch, from bytes and with what is done to the result, and nothing written
 * outside. */
#include "tensor/conv.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

#define SIZE   400000
#define MARGIN ((size_t)64)

static deer_real x[SIZE], w[SIZE], y[SIZE], gate[SIZE], out[SIZE + 2 * MARGIN], kept[SIZE];
static uint8_t bytes[SIZE];
static deer_rng rng;

static int draw(int n) { return 1 + (int)deer_rng_below(&rng, (uint64_t)n); }

static int setup(void **state) {
  (void)state;
  rng = deer_rng_seed(3);
  for (int i = 0; i < SIZE; i++) {
    x[i] = (deer_real)deer_rng_normal(&rng);
    w[i] = (deer_real)deer_rng_normal(&rng);
    y[i] = (deer_real)deer_rng_normal(&rng);
    bytes[i] = (uint8_t)deer_rng_below(&rng, 256);
    gate[i] = draw(2) == 1 ? 0 : (deer_real)NAN;
  }
  return 0;
}

typedef void direction(const deer_conv_task *task);
typedef size_t scratch_size(const deer_conv *shape);

static direction *const directions[] = {deer_conv_forward, deer_conv_input, deer_conv_filter};
static scratch_size *const scratches[] = {deer_conv_forward_scratch, deer_conv_input_scratch,
                                          deer_conv_filter_scratch};
enum { FORWARD, INPUT, FILTER };

static size_t x_size(const deer_conv *c) {
  return (size_t)(c->batch * c->channels * c->height * c->width);
}

static size_t y_size(const deer_conv *c) {
  return (size_t)(c->batch * c->filters * c->out_h * c->out_w);
}

static size_t w_size(const deer_conv *c) {
  return (size_t)(c->filters * c->channels * c->kernel_h * c->kernel_w);
}

static size_t out_size(const deer_conv *c, int which) {
  return which == FORWARD ? y_size(c) : which == INPUT ? x_size(c) : w_size(c);
}

static deer_conv with_result(deer_conv c) {
  c.out_h = (c.height + 2 * c.pad_h - c.kernel_h) / c.stride_h + 1;
  c.out_w = (c.width + 2 * c.pad_w - c.kernel_w) / c.stride_w + 1;
  return c;
}

static deer_conv draw_shape(int most_channels) {
  deer_conv c = {.batch = draw(5), .channels = draw(most_channels), .filters = draw(most_channels)};
  c.kernel_h = draw(4), c.kernel_w = draw(4);
  c.height = c.kernel_h + draw(9) - 1, c.width = c.kernel_w + draw(20) - 1;
  c.stride_h = draw(3), c.stride_w = draw(3);
  c.pad_h = draw(3) - 1, c.pad_w = draw(3) - 1;
  return with_result(c);
}

/* runs into out + MARGIN, which is checked to have been written whole and alone */
static void run(const deer_conv_task *task, int which) {
  deer_conv_task t = *task;
  const size_t n = out_size(&t.shape, which), bytes_of = scratches[which](&t.shape);
  assert_true(n <= SIZE);
  const deer_real mark = (deer_real)-12345.5;
  for (size_t i = 0; i < n + 2 * MARGIN; i++) out[i] = mark;
  t.scratch = deer_alloc(bytes_of + 64);
  assert_non_null(t.scratch);
  memset(t.scratch, 0xff, bytes_of + 64);
  t.out = out + MARGIN;
  directions[which](&t);
  for (size_t i = 0; i < 64; i++)
    assert_int_equal(((unsigned char *)t.scratch)[bytes_of + i], 0xff);
  for (size_t i = 0; i < MARGIN; i++) assert_true(out[i] == mark && out[MARGIN + n + i] == mark);
  for (size_t i = 0; i < n; i++) assert_true(out[MARGIN + i] != mark);
  deer_free(t.scratch);
}

/* ---- every product that is summed, one by one ---- */

typedef struct sums {
  double *sum, *size; /* of the terms, and of their absolute values */
} sums;

static void add_terms(const deer_conv *c, int which, int s, int f, int oy, int ox, sums to) {
  const size_t at_y = (size_t)(((s * c->filters + f) * c->out_h + oy) * c->out_w + ox);
  for (int k = 0; k < c->channels; k++)
    for (int i = 0; i < c->kernel_h; i++)
      for (int j = 0; j < c->kernel_w; j++) {
        const int row = oy * c->stride_h + i - c->pad_h, column = ox * c->stride_w + j - c->pad_w;
        if (row < 0 || row >= c->height || column < 0 || column >= c->width) continue;
        const size_t at_x = (size_t)(((s * c->channels + k) * c->height + row) * c->width + column);
        const size_t at_w = (size_t)(((f * c->channels + k) * c->kernel_h + i) * c->kernel_w + j);
        const double term = (which == FORWARD ? 1 : (double)y[at_y]) *
                            (which == INPUT ? 1 : (double)x[at_x]) *
                            (which == FILTER ? 1 : (double)w[at_w]);
        const size_t at = which == FORWARD ? at_y : which == INPUT ? at_x : at_w;
        to.sum[at] += term;
        to.size[at] += fabs(term);
      }
}

static void check(const deer_conv *c, int which) {
  run(&(deer_conv_task){.shape = *c, .x = x, .w = w, .y = y}, which);
  const size_t n = out_size(c, which);
  sums to = {calloc(n, sizeof(double)), calloc(n, sizeof(double))};
  for (int s = 0; s < c->batch; s++)
    for (int f = 0; f < c->filters; f++)
      for (int oy = 0; oy < c->out_h; oy++)
        for (int ox = 0; ox < c->out_w; ox++) add_terms(c, which, s, f, oy, ox, to);
  for (size_t i = 0; i < n; i++)
    if (fabs(to.sum[i] - (double)out[MARGIN + i]) > 2e-6 * to.size[i])
      fail_msg("direction %d, element %zu: got %g, expected %g", which, i, (double)out[MARGIN + i],
               to.sum[i]);
  free(to.sum);
  free(to.size);
}

static void every_geometry_is_right(void **state) {
  (void)state;
  for (int i = 0; i < 150; i++) {
    deer_gather_allow(i % 3);
    const deer_conv c = draw_shape(i % 10 == 9 ? 150 : 20);
    for (int which = 0; which < 3; which++) check(&c, which);
  }
  deer_gather_allow(2);
}

/* more positions, filters and window elements than are worked on at a time, lines longer than the
 * widest product, padding wider than the window */
static const deer_conv large[] = {
    {2, 3, 30, 31, 9, 8, 7, 1, 2, 0, 0, 0, 0},  {40, 5, 3, 1, 70, 2, 1, 1, 1, 0, 0, 0, 0},
    {3, 70, 9, 9, 130, 3, 3, 1, 1, 0, 0, 0, 0}, {2, 5, 7, 110, 7, 3, 4, 1, 1, 1, 2, 0, 0},
    {1, 9, 5, 70, 12, 2, 6, 2, 1, 0, 0, 0, 0},  {2, 2, 3, 200, 20, 1, 8, 1, 2, 0, 3, 0, 0},
    {2, 3, 2, 2, 3, 2, 2, 1, 1, 4, 5, 0, 0},    {1, 1, 1, 300, 1, 1, 12, 1, 3, 0, 0, 0, 0}};
enum { N_LARGE = sizeof large / sizeof *large };

static void large_shapes_are_right(void **state) {
  (void)state;
  for (int i = 0; i < 3 * N_LARGE; i++) {
    const deer_conv c = with_result(large[i / 3]);
    deer_gather_allow(i % 3);
    for (int which = 0; which < 3; which++) check(&c, which);
  }
  deer_gather_allow(2);
}

/* ---- bits ---- */

static void narrow_and_wide_kernels_agree_to_the_bit(void **state) {
  (void)state;
  for (int i = 0; i < 30; i++) {
    const deer_conv c = draw_shape(90);
    for (int which = 0; which < 3; which++) {
      const deer_conv_task t = {.shape = c, .x = x, .w = w, .y = y};
      deer_gather_allow(1);
      run(&t, which);
      memcpy(kept, out + MARGIN, out_size(&c, which) * sizeof *kept);
      deer_gather_allow(2);
      run(&t, which);
      assert_memory_equal(kept, out + MARGIN, out_size(&c, which) * sizeof *kept);
    }
  }
}

/* what threads share: parts in any order, more of them than there is work */
static void parts_make_the_whole(void **state) {
  (void)state;
  for (int i = 0; i < 40; i++) {
    const deer_conv c = i < N_LARGE ? with_result(large[i]) : draw_shape(40);
    for (int which = 0; which < 3; which++) {
      deer_conv_task t = {.shape = c, .x = x, .w = w, .y = y, .out = out};
      const size_t n = out_size(&c, which), bytes_of = scratches[which](&c);
      run(&t, which);
      memcpy(kept, out + MARGIN, n * sizeof *kept);
      t.parts = draw(5);
      t.scratch = deer_alloc(bytes_of);
      for (size_t k = 0; k < n; k++) out[k] = NAN;
      for (t.part = t.parts - 1; t.part >= 0; t.part--) {
        memset(t.scratch, 0xff, bytes_of);
        directions[which](&t);
      }
      assert_memory_equal(kept, out, n * sizeof *kept);
      deer_free(t.scratch);
    }
  }
}

static deer_real *exact_copy(const deer_real *from, size_t n) {
  deer_real *copy = malloc(n * sizeof *copy);
  assert_non_null(copy);
  memcpy(copy, from, n * sizeof *copy);
  return copy;
}

/* the sanitizer sees whether anything is read beyond its end */
static void operands_end_where_they_end(void **state) {
  (void)state;
  for (int i = 0; i < 30; i++) {
    const deer_conv c = i < N_LARGE ? with_result(large[i]) : draw_shape(20);
    deer_real *own_x = exact_copy(x, x_size(&c)), *own_y = exact_copy(y, y_size(&c));
    deer_real *own_w = exact_copy(w, w_size(&c));
    for (int which = 0; which < 3; which++)
      run(&(deer_conv_task){.shape = c, .x = own_x, .w = own_w, .y = own_y}, which);
    free(own_x);
    free(own_y);
    free(own_w);
  }
}

static void samples_do_not_depend_on_the_batch(void **state) {
  (void)state;
  for (int i = 0; i < 30; i++) {
    deer_conv c = draw_shape(70);
    c.batch = 1 + draw(40);
    if (x_size(&c) > SIZE || y_size(&c) > SIZE) continue;
    for (int which = FORWARD; which <= INPUT; which++) {
      const size_t n = out_size(&c, which), each = n / (size_t)c.batch;
      const int s = draw(c.batch) - 1;
      run(&(deer_conv_task){.shape = c, .x = x, .w = w, .y = y}, which);
      memcpy(kept, out + MARGIN, n * sizeof *kept);
      deer_conv one = c;
      one.batch = 1;
      run(&(deer_conv_task){.shape = one,
                            .x = x + (size_t)s * (x_size(&c) / (size_t)c.batch),
                            .w = w,
                            .y = y + (size_t)s * (y_size(&c) / (size_t)c.batch)},
          which);
      assert_memory_equal(kept + (size_t)s * each, out + MARGIN, each * sizeof *kept);
    }
  }
}

static void bytes_are_numbers(void **state) {
  (void)state;
  static deer_real reals[SIZE];
  const deer_real factors[] = {1, (deer_real)(1.0 / 255)}, terms[] = {0, (deer_real)-17.3};
  for (int i = 0; i < 40; i++) {
    const deer_real factor = factors[i / 10 % 2], term = terms[i / 20];
    for (int k = 0; k < SIZE; k++) reals[k] = factor * ((deer_real)bytes[k] + term);
    const deer_conv c = draw_shape(20);
    deer_gather_allow(i % 3);
    for (int which = FORWARD; which <= FILTER; which += FILTER) {
      run(&(deer_conv_task){.shape = c, .x = reals, .w = w, .y = y}, which);
      memcpy(kept, out + MARGIN, out_size(&c, which) * sizeof *kept);
      run(&(deer_conv_task){.shape = c,
                            .x = bytes,
                            .bytes = true,
                            .factor = factor,
                            .term = term,
                            .w = w,
                            .y = y},
          which);
      assert_memory_equal(kept, out + MARGIN, out_size(&c, which) * sizeof *kept);
    }
  }
  deer_gather_allow(2);
}

/* bias, ReLU and gate are those of the ops; a gate of NaN lets through */
static void results_are_finished(void **state) {
  (void)state;
  for (int i = 0; i < 60; i++) {
    const deer_conv c = draw_shape(30);
    deer_gather_allow(i % 3);
    const int which = i % 2;
    deer_conv_task t = {.shape = c, .x = x, .w = w, .y = y};
    run(&t, which);
    const size_t n = out_size(&c, which);
    const size_t plane = (size_t)(which == FORWARD ? c.out_h * c.out_w : c.height * c.width);
    const size_t channels = (size_t)(which == FORWARD ? c.filters : c.channels);
    if (draw(2) == 1) t.finish.bias = y + 7;
    if (draw(2) == 1) t.finish.relu = true;
    if (draw(2) == 1) t.finish.gate = gate;
    for (size_t k = 0; k < n; k++) {
      kept[k] = out[MARGIN + k];
      if (t.finish.bias) kept[k] += t.finish.bias[k / plane % channels];
      if (t.finish.relu && kept[k] <= 0) kept[k] = 0;
      if (t.finish.gate && gate[k] == 0) kept[k] = 0;
    }
    run(&t, which);
    assert_memory_equal(kept, out + MARGIN, n * sizeof *kept);
  }
  deer_gather_allow(2);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_geometry_is_right),
                                     cmocka_unit_test(large_shapes_are_right),
                                     cmocka_unit_test(narrow_and_wide_kernels_agree_to_the_bit),
                                     cmocka_unit_test(parts_make_the_whole),
                                     cmocka_unit_test(operands_end_where_they_end),
                                     cmocka_unit_test(samples_do_not_depend_on_the_batch),
                                     cmocka_unit_test(bytes_are_numbers),
                                     cmocka_unit_test(results_are_finished)};
  return cmocka_run_group_tests(tests, setup, NULL);
}
