/* layers_plain.h: what every layer must compute, written a second time and as plainly as possible,
 * one sample after the other. A new layer adds a function and a line to the table. */
#ifndef LAYERS_PLAIN_H
#define LAYERS_PLAIN_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "deer.h"

/* what a layer sees: a history of 2 frames of 5 x 4, 3 samples */
enum { BATCH = 3, HISTORY = 2, ROWS = 5, COLUMNS = 4, FEATURES = HISTORY * ROWS * COLUMNS };

/* One sample in a network: its parameters, and the noise it was computed with. */
typedef struct plain {
  const deer_net *net;
  const deer_real *block;
  deer_rng noise;
  int sample;
} plain;

/* The parameter "subject0.NAME", which must be there. */
static const deer_real *at(const plain *p, const char *name) {
  deer_net_slot slot;
  for (int i = 0; deer_net_slot_at(p->net, i, &slot); i++)
    if (strcmp(slot.name + strlen("subject0."), name) == 0) return p->block + slot.offset;
  abort();
}

typedef double scalar_function(double x);

static double linear(double x) { return x; }
static double relu(double x) { return x > 0 ? x : 0; }
static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* y = f(x W + b), n numbers to m */
static void multiply(const double *x, int n, const deer_real *w, const deer_real *b, int m,
                     scalar_function *f, double *y) {
  for (int j = 0; j < m; j++) {
    double sum = b ? b[j] : 0;
    for (int i = 0; i < n; i++) sum += x[i] * w[i * m + j];
    y[j] = f(sum);
  }
}

/* ---- dense and what is like it ---- */

static void plain_dense(const plain *p, const double *x, double *y) {
  multiply(x, FEATURES, at(p, "dense1.weight"), at(p, "dense1.bias"), 5, tanh, y);
}

static double spread(double x) { return x < 0 ? -sqrt(-x) : sqrt(x); }

/* the same for all samples: one draw for each input, then for each output */
static void plain_noisy(const plain *p, const double *x, double *y) {
  const deer_real *w = at(p, "noisy1.weight"), *b = at(p, "noisy1.bias");
  const deer_real *ws = at(p, "noisy1.weight_sigma"), *bs = at(p, "noisy1.bias_sigma");
  deer_real in[FEATURES], out[5];
  deer_rng noise = p->noise;
  deer_fill_normal(&noise, in, FEATURES);
  deer_fill_normal(&noise, out, 5);
  for (int j = 0; j < 5; j++) {
    double sum = b[j] + bs[j] * spread(out[j]);
    for (int i = 0; i < FEATURES; i++)
      sum += x[i] * (w[i * 5 + j] + ws[i * 5 + j] * spread(in[i]) * spread(out[j]));
    y[j] = tanh(sum);
  }
}

/* 3 actions of 2 atoms, 4 hidden units */
static void plain_dueling(const plain *p, const double *x, double *y) {
  double hidden[4], value[2], advantage[6];
  multiply(x, FEATURES, at(p, "dueling1.value_hidden.weight"), at(p, "dueling1.value_hidden.bias"),
           4, tanh, hidden);
  multiply(hidden, 4, at(p, "dueling1.value.weight"), at(p, "dueling1.value.bias"), 2, linear,
           value);
  multiply(x, FEATURES, at(p, "dueling1.advantage_hidden.weight"),
           at(p, "dueling1.advantage_hidden.bias"), 4, tanh, hidden);
  multiply(hidden, 4, at(p, "dueling1.advantage.weight"), at(p, "dueling1.advantage.bias"), 6,
           linear, advantage);
  for (int atom = 0; atom < 2; atom++) {
    double mean = (advantage[atom] + advantage[2 + atom] + advantage[4 + atom]) / 3;
    for (int a = 0; a < 3; a++) y[a * 2 + atom] = value[atom] + advantage[a * 2 + atom] - mean;
  }
}

/* the same without hidden units and atoms */
static void plain_small_dueling(const plain *p, const double *x, double *y) {
  double value, mean = 0;
  multiply(x, FEATURES, at(p, "dueling1.value.weight"), at(p, "dueling1.value.bias"), 1, linear,
           &value);
  multiply(x, FEATURES, at(p, "dueling1.advantage.weight"), at(p, "dueling1.advantage.bias"), 3,
           linear, y);
  for (int a = 0; a < 3; a++) mean += y[a] / 3;
  for (int a = 0; a < 3; a++) y[a] += value - mean;
}

/* the numbers are 0, 1, 2, 3 in this case */
static void plain_embedding(const plain *p, const double *x, double *y) {
  const deer_real *table = at(p, "embedding1.table");
  for (int i = 0; i < FEATURES; i++)
    for (int k = 0; k < 2; k++) y[i * 2 + k] = table[(int)x[i] * 2 + k];
}

/* ---- pictures ---- */

/* 3 filters of 3 x 2, strides 2 and 1: 2 x 3 places */
static void plain_conv(const plain *p, const double *x, double *y) {
  const deer_real *w = at(p, "conv1.weight"), *b = at(p, "conv1.bias");
  for (int f = 0; f < 3; f++)
    for (int r = 0; r < 2; r++)
      for (int c = 0; c < 3; c++) {
        double sum = b[f];
        for (int h = 0; h < HISTORY; h++)
          for (int i = 0; i < 3; i++)
            for (int j = 0; j < 2; j++)
              sum += x[(h * ROWS + 2 * r + i) * COLUMNS + c + j] *
                     w[((f * HISTORY + h) * 3 + i) * 2 + j];
        y[(f * 2 + r) * 3 + c] = tanh(sum);
      }
}

/* element (r, c) of picture h, 0 outside */
static double padded(const double *x, int h, int r, int c) {
  const bool inside = r >= 0 && r < ROWS && c >= 0 && c < COLUMNS;
  return inside ? x[(h * ROWS + r) * COLUMNS + c] : 0;
}

/* 2 filters of 3 x 2, a row of zeros above and below, two columns left and right: 5 x 7 places */
static void plain_padded_conv(const plain *p, const double *x, double *y) {
  const deer_real *w = at(p, "conv1.weight"), *b = at(p, "conv1.bias");
  for (int f = 0; f < 2; f++)
    for (int r = 0; r < 5; r++)
      for (int c = 0; c < 7; c++) {
        double sum = b[f];
        for (int h = 0; h < HISTORY; h++)
          for (int i = 0; i < 3; i++)
            for (int j = 0; j < 2; j++)
              sum += padded(x, h, r + i - 1, c + j - 2) * w[((f * HISTORY + h) * 3 + i) * 2 + j];
        y[(f * 5 + r) * 7 + c] = tanh(sum);
      }
}

/* the mean of 3 x 2 by strides of 1 and 3, with a row of zeros above and below: 5 x 1 places */
static void plain_avgpool(const plain *p, const double *x, double *y) {
  (void)p;
  for (int h = 0; h < HISTORY; h++)
    for (int r = 0; r < 5; r++) {
      double sum = 0;
      for (int i = -1; i < 2; i++) sum += padded(x, h, r + i, 0) + padded(x, h, r + i, 1);
      y[h * 5 + r] = sum / 6;
    }
}

/* the largest of 2 x 2 by strides of 1 and 2, a column more on each side: 4 x 3 places */
static void plain_strided_maxpool(const plain *p, const double *x, double *y) {
  (void)p;
  for (int h = 0; h < HISTORY; h++)
    for (int r = 0; r < 4; r++)
      for (int c = 0; c < 3; c++) {
        double most = -INFINITY;
        for (int k = 0; k < 4; k++) {
          const int column = 2 * c - 1 + k % 2;
          if (column < 0 || column >= COLUMNS) continue;
          most = fmax(most, x[(h * ROWS + r + k / 2) * COLUMNS + column]);
        }
        y[(h * 4 + r) * 3 + c] = most;
      }
}

/* 3 filters over 2 of the 4 steps of 10 features, stride 2, a step of zeros before and after */
static void plain_conv1d(const plain *p, const double *x, double *y) {
  const deer_real *w = at(p, "conv1d2.weight"), *b = at(p, "conv1d2.bias");
  for (int t = 0; t < 3; t++)
    for (int f = 0; f < 3; f++) {
      double sum = b[f];
      for (int i = 0; i < 2; i++) {
        const int step = 2 * t + i - 1;
        for (int k = 0; k < 10 && step >= 0 && step < 4; k++)
          sum += x[step * 10 + k] * w[(f * 10 + k) * 2 + i];
      }
      y[t * 3 + f] = tanh(sum);
    }
}

/* windows of 2 x 2; the fifth row is left out */
static void plain_maxpool(const plain *p, const double *x, double *y) {
  (void)p;
  for (int h = 0; h < HISTORY; h++)
    for (int r = 0; r < 2; r++)
      for (int c = 0; c < 2; c++) {
        const double *w = x + (h * ROWS + 2 * r) * COLUMNS + 2 * c;
        y[(h * 2 + r) * 2 + c] = fmax(fmax(w[0], w[1]), fmax(w[COLUMNS], w[COLUMNS + 1]));
      }
}

/* ---- sequences ---- */

enum { UNITS = 3, STEPS = HISTORY, WIDTH = ROWS * COLUMNS };

/* the outputs of all steps */
static void lstm(const plain *p, const double *x, scalar_function *f, double *y) {
  const deer_real *wx = at(p, "lstm1.weight_x"), *wh = at(p, "lstm1.weight_h");
  double h[UNITS] = {0}, c[UNITS] = {0}, z[4 * UNITS], zh[4 * UNITS];
  for (int t = 0; t < STEPS; t++) {
    multiply(x + t * WIDTH, WIDTH, wx, at(p, "lstm1.bias"), 4 * UNITS, linear, z);
    multiply(h, UNITS, wh, NULL, 4 * UNITS, linear, zh);
    for (int i = 0; i < 4 * UNITS; i++) z[i] += zh[i];
    for (int u = 0; u < UNITS; u++) {
      c[u] = sigmoid(z[UNITS + u] + 1) * c[u] + sigmoid(z[u]) * f(z[3 * UNITS + u]);
      h[u] = sigmoid(z[2 * UNITS + u]) * f(c[u]);
    }
    memcpy(y + t * UNITS, h, sizeof h);
  }
}

static void plain_lstm(const plain *p, const double *x, double *y) {
  double all[STEPS * UNITS];
  lstm(p, x, tanh, all);
  memcpy(y, all + (STEPS - 1) * UNITS, UNITS * sizeof *y);
}

static void plain_lstm_sequence(const plain *p, const double *x, double *y) {
  lstm(p, x, sigmoid, y);
}

static void gru(const plain *p, const double *x, double *y) {
  const deer_real *wx = at(p, "gru1.weight_x"), *wh = at(p, "gru1.weight_h");
  const deer_real *bias_h = at(p, "gru1.bias_h");
  double h[UNITS] = {0}, z[3 * UNITS], zh[3 * UNITS];
  for (int t = 0; t < STEPS; t++) {
    multiply(x + t * WIDTH, WIDTH, wx, at(p, "gru1.bias"), 3 * UNITS, linear, z);
    multiply(h, UNITS, wh, NULL, 3 * UNITS, linear, zh);
    for (int u = 0; u < UNITS; u++) {
      double reset = sigmoid(z[u] + zh[u]), kept = sigmoid(z[UNITS + u] + zh[UNITS + u]);
      double candidate = tanh(z[2 * UNITS + u] + reset * (zh[2 * UNITS + u] + bias_h[u]));
      h[u] = (1 - kept) * candidate + kept * h[u];
    }
    memcpy(y + t * UNITS, h, sizeof h);
  }
}

static void plain_gru(const plain *p, const double *x, double *y) {
  double all[STEPS * UNITS];
  gru(p, x, all);
  memcpy(y, all + (STEPS - 1) * UNITS, UNITS * sizeof *y);
}

static void plain_gru_sequence(const plain *p, const double *x, double *y) { gru(p, x, y); }

/* ---- layers that hold others ---- */

static void plain_residual(const plain *p, const double *x, double *y) {
  double hidden[4];
  multiply(x, FEATURES, at(p, "residual1.dense1.weight"), at(p, "residual1.dense1.bias"), 4, tanh,
           hidden);
  multiply(hidden, 4, at(p, "residual1.dense2.weight"), at(p, "residual1.dense2.bias"), FEATURES,
           linear, y);
  for (int i = 0; i < FEATURES; i++) y[i] += x[i];
}

/* a residual inside of another, both of activations: x + (t + tanh t) / 2 where t = tanh x */
static void plain_nested(const plain *p, const double *x, double *y) {
  (void)p;
  for (int i = 0; i < FEATURES; i++) y[i] = x[i] + (tanh(x[i]) + tanh(tanh(x[i]))) / 2;
}

static void plain_dense_block(const plain *p, const double *x, double *y) {
  memcpy(y, x, FEATURES * sizeof *y);
  multiply(y, FEATURES, at(p, "dense_block1.dense1.weight"), at(p, "dense_block1.dense1.bias"), 3,
           tanh, y + FEATURES);
  multiply(y, FEATURES + 3, at(p, "dense_block1.dense2.weight"), at(p, "dense_block1.dense2.bias"),
           2, sigmoid, y + FEATURES + 3);
}

/* one lane of a picture is what the lane makes */
static void plain_one_lane(const plain *p, const double *x, double *y) {
  const deer_real *w = at(p, "parallel1.conv1.weight"), *b = at(p, "parallel1.conv1.bias");
  for (int i = 0; i < WIDTH; i++) y[i] = b[0] + w[0] * x[i] + w[1] * x[WIDTH + i];
}

/* channels are joined: 2 frames, then 1 filter of 1 x 1 over them */
static void plain_picture_block(const plain *p, const double *x, double *y) {
  const deer_real *w = at(p, "dense_block1.conv1.weight"), *b = at(p, "dense_block1.conv1.bias");
  memcpy(y, x, FEATURES * sizeof *y);
  for (int i = 0; i < WIDTH; i++) y[FEATURES + i] = tanh(b[0] + w[0] * x[i] + w[1] * x[WIDTH + i]);
}

/* two layers of one row, side by side with one of another */
static void plain_parallel(const plain *p, const double *x, double *y) {
  double hidden[3];
  multiply(x, FEATURES, at(p, "parallel1.chain1.dense1.weight"),
           at(p, "parallel1.chain1.dense1.bias"), 3, tanh, hidden);
  multiply(hidden, 3, at(p, "parallel1.chain1.dense2.weight"),
           at(p, "parallel1.chain1.dense2.bias"), 2, sigmoid, y);
  multiply(x, FEATURES, at(p, "parallel1.dense2.weight"), at(p, "parallel1.dense2.bias"), 4, tanh,
           y + 2);
}

/* ---- the rest ---- */

#define EACH(name, expression)                                                                     \
  static void plain_##name(const plain *p, const double *v, double *y) {                           \
    (void)p;                                                                                       \
    for (int i = 0; i < FEATURES; i++) {                                                           \
      const double x = v[i];                                                                       \
      y[i] = (expression);                                                                         \
    }                                                                                              \
  }

EACH(relu, relu(x))
EACH(tanh, tanh(x))
EACH(sigmoid, sigmoid(x))
EACH(same, x)
EACH(leaky_relu, x > 0 ? x : 0.01 * x)
EACH(elu, x > 0 ? x : exp(x) - 1)
EACH(selu, 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (exp(x) - 1)))
EACH(gelu, x / 2 * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))))
EACH(swish, (x)*sigmoid(x))
EACH(hard_swish, (x)*fmin(fmax(x + 3, 0), 6) / 6)
EACH(softplus, log(1 + exp(x)))
EACH(chain, 0.25 * (tanh(x) - 3))
EACH(scale, 0.25 * (x - 3))

static void plain_dropout(const plain *p, const double *x, double *y) {
  deer_real u[BATCH * FEATURES];
  deer_rng noise = p->noise;
  deer_fill_uniform(&noise, u, BATCH * FEATURES);
  for (int i = 0; i < FEATURES; i++)
    y[i] = u[p->sample * FEATURES + i] < 0.3 ? 0 : x[i] / (1 - 0.3);
}

/* n numbers, each `stride` of them with the next gain and bias, which begin at `first` */
static void normalise(const plain *p, const char *layer, const double *x, int n, int stride,
                      double *y) {
  char gain[32], bias[32];
  strcat(strcpy(gain, layer), ".gain");
  strcat(strcpy(bias, layer), ".bias");
  double mean = 0, variance = 0;
  for (int i = 0; i < n; i++) mean += x[i] / n;
  for (int i = 0; i < n; i++) variance += (x[i] - mean) * (x[i] - mean) / n;
  for (int i = 0; i < n; i++)
    y[i] = (x[i] - mean) / sqrt(variance + 0.1) * at(p, gain)[i / stride] + at(p, bias)[i / stride];
}

/* a picture as a whole, parameters per channel */
static void plain_norm_picture(const plain *p, const double *x, double *y) {
  normalise(p, "layer_norm1", x, FEATURES, WIDTH, y);
}

static void plain_norm_row(const plain *p, const double *x, double *y) {
  normalise(p, "layer_norm2", x, FEATURES, 1, y);
}

static void plain_norm_steps(const plain *p, const double *x, double *y) {
  for (int t = 0; t < 4; t++) normalise(p, "layer_norm2", x + t * 10, 10, 1, y + t * 10);
}

/* ---- the table ---- */

typedef struct layer_case {
  const char *layers;     /* "dense units=5; residual { scale factor=2 }" */
  const char *parameters; /* those of the branch, in order */
  int outputs;            /* of the branch */
  void (*plain)(const plain *p, const double *x, double *y);
} layer_case;

static const layer_case cases[] = {
    {"dense units=5 activation=tanh", "dense1.weight [40, 5], dense1.bias [5]", 5, plain_dense},
    {"dense units=5 activation=tanh init=orthogonal gain=1.4 bias_init=uniform",
     "dense1.weight [40, 5], dense1.bias [5]", 5, plain_dense},
    {"conv filters=3 rows=3 columns=2 stride_rows=2 activation=tanh",
     "conv1.weight [3, 2, 3, 2], conv1.bias [3]", 18, plain_conv},
    {"conv filters=2 rows=3 columns=2 pad_rows=1 pad_columns=2 activation=tanh",
     "conv1.weight [2, 2, 3, 2], conv1.bias [2]", 70, plain_padded_conv},
    {"reshape rows=4; conv1d filters=3 steps=2 stride=2 pad=1 activation=tanh bias_init=uniform",
     "conv1d2.weight [3, 10, 2], conv1d2.bias [3]", 9, plain_conv1d},
    {"maxpool rows=2 columns=2", "", 8, plain_maxpool},
    {"maxpool stride_rows=1 pad_columns=1", "", 24, plain_strided_maxpool},
    {"avgpool rows=3 stride_rows=1 stride_columns=3 pad_rows=1", "", 10, plain_avgpool},
    {"activation kind=linear", "", FEATURES, plain_same},
    {"activation kind=relu", "", FEATURES, plain_relu},
    {"activation kind=tanh", "", FEATURES, plain_tanh},
    {"activation kind=sigmoid", "", FEATURES, plain_sigmoid},
    {"activation kind=leaky_relu", "", FEATURES, plain_leaky_relu},
    {"activation kind=elu", "", FEATURES, plain_elu},
    {"activation kind=selu", "", FEATURES, plain_selu},
    {"activation kind=gelu", "", FEATURES, plain_gelu},
    {"activation kind=swish", "", FEATURES, plain_swish},
    {"activation kind=hard_swish", "", FEATURES, plain_hard_swish},
    {"activation kind=softplus", "", FEATURES, plain_softplus},
    {"scale factor=0.25 offset=3", "", FEATURES, plain_scale},
    {"noisy units=5 activation=tanh",
     "noisy1.weight [40, 5], noisy1.bias [5], noisy1.weight_sigma [40, 5], noisy1.bias_sigma [5]",
     5, plain_noisy},
    {"dueling units=3 atoms=2 hidden=4 hidden_activation=tanh bias_init=uniform",
     "dueling1.value_hidden.weight [40, 4], dueling1.value_hidden.bias [4], "
     "dueling1.value.weight [4, 2], dueling1.value.bias [2], "
     "dueling1.advantage_hidden.weight [40, 4], dueling1.advantage_hidden.bias [4], "
     "dueling1.advantage.weight [4, 6], dueling1.advantage.bias [6]",
     6, plain_dueling},
    {"dueling units=3",
     "dueling1.value.weight [40, 1], dueling1.value.bias [1], dueling1.advantage.weight [40, 3], "
     "dueling1.advantage.bias [3]",
     3, plain_small_dueling},
    {"lstm units=3 bias_init=uniform",
     "lstm1.weight_x [20, 12], lstm1.bias [12], lstm1.weight_h [3, 12]", UNITS, plain_lstm},
    {"lstm units=3 sequence=true activation=sigmoid",
     "lstm1.weight_x [20, 12], lstm1.bias [12], lstm1.weight_h [3, 12]", STEPS *UNITS,
     plain_lstm_sequence},
    {"gru units=3 bias_init=uniform",
     "gru1.weight_x [20, 9], gru1.bias [9], gru1.weight_h [3, 9], gru1.bias_h [3]", UNITS,
     plain_gru},
    {"gru units=3 sequence=true",
     "gru1.weight_x [20, 9], gru1.bias [9], gru1.weight_h [3, 9], gru1.bias_h [3]", STEPS *UNITS,
     plain_gru_sequence},
    {"residual { dense units=4 activation=tanh; dense units=40 activation=linear }",
     "residual1.dense1.weight [40, 4], residual1.dense1.bias [4], residual1.dense2.weight [4, 40], "
     "residual1.dense2.bias [40]",
     FEATURES, plain_residual},
    {"residual { activation kind=tanh; residual { activation kind=tanh }; scale factor=0.5 }", "",
     FEATURES, plain_nested},
    {"dense_block { dense units=3 activation=tanh; dense units=2 activation=sigmoid }",
     "dense_block1.dense1.weight [40, 3], dense_block1.dense1.bias [3], "
     "dense_block1.dense2.weight [43, 2], dense_block1.dense2.bias [2]",
     FEATURES + 5, plain_dense_block},
    {"dense_block { conv filters=1 rows=1 columns=1 activation=tanh }",
     "dense_block1.conv1.weight [1, 2, 1, 1], dense_block1.conv1.bias [1]", FEATURES + WIDTH,
     plain_picture_block},
    {"chain { activation kind=tanh; scale factor=0.25 offset=3 }", "", FEATURES, plain_chain},
    {"parallel { chain { dense units=3 activation=tanh; dense units=2 activation=sigmoid }; "
     "dense units=4 activation=tanh }",
     "parallel1.chain1.dense1.weight [40, 3], parallel1.chain1.dense1.bias [3], "
     "parallel1.chain1.dense2.weight [3, 2], parallel1.chain1.dense2.bias [2], "
     "parallel1.dense2.weight [40, 4], parallel1.dense2.bias [4]",
     6, plain_parallel},
    {"parallel { conv filters=1 rows=1 columns=1 activation=linear }",
     "parallel1.conv1.weight [1, 2, 1, 1], parallel1.conv1.bias [1]", WIDTH, plain_one_lane},
    {"dropout rate=0.3", "", FEATURES, plain_dropout},
    {"flatten", "", FEATURES, plain_same},
    {"reshape rows=4", "", FEATURES, plain_same},
    {"reshape channels=2 rows=4 columns=5", "", FEATURES, plain_same},
    {"layer_norm epsilon=0.1; maxpool rows=1 columns=1",
     "layer_norm1.gain [2], layer_norm1.bias [2]", FEATURES, plain_norm_picture},
    {"flatten; layer_norm epsilon=0.1", "layer_norm2.gain [40], layer_norm2.bias [40]", FEATURES,
     plain_norm_row},
    {"reshape rows=4; layer_norm epsilon=0.1", "layer_norm2.gain [10], layer_norm2.bias [10]",
     FEATURES, plain_norm_steps},
    {"embedding values=4 width=2", "embedding1.table [4, 2]", 2 * FEATURES, plain_embedding},
};

enum { N_CASES = sizeof cases / sizeof *cases };

#endif
