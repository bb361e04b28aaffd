/* recurrent.h: what recurrent layers have in common. For files in nn/ only. */
#ifndef DEER_RECURRENT_H
#define DEER_RECURRENT_H

#include "nn/layer.h"

/* Their options structs begin with these. */
typedef struct deer_recurrent_options {
  int64_t units;
  deer_weights weights;
  int recurrent_init;
  bool sequence;
} deer_recurrent_options;

/* The rows of a field table for them. */
#define DEER_FIELDS_RECURRENT                                                                      \
  {"units",                                                                                        \
   DEER_FIELD_INT,                                                                                 \
   offsetof(deer_recurrent_options, units),                                                        \
   .fallback = 32,                                                                                 \
   .min = 1,                                                                                       \
   .max = 16384,                                                                                   \
   .help = "number of outputs",                                                                    \
   .search_min = 8,                                                                                \
   .search_max = 256},                                                                             \
      {"sequence", DEER_FIELD_BOOL, offsetof(deer_recurrent_options, sequence),                    \
       .help = "the output of every step, for another layer of this kind; else that of the last"}, \
      {"activation",                                                                               \
       DEER_FIELD_CHOICE,                                                                          \
       offsetof(deer_recurrent_options, weights.activation),                                       \
       .fallback = 2,                                                                              \
       .choices = DEER_ACTIVATION_CHOICES,                                                         \
       .help = "of what is new at each step"},                                                     \
      DEER_FIELD_INIT(deer_recurrent_options, DEER_INIT_GLOROT_UNIFORM),                           \
      DEER_FIELD_GAIN(deer_recurrent_options, 1),                                                  \
      DEER_FIELD_BIAS_INIT(deer_recurrent_options, DEER_INIT_ZEROS), {                             \
    "recurrent_init", DEER_FIELD_CHOICE, offsetof(deer_recurrent_options, recurrent_init),         \
        .fallback = DEER_INIT_ORTHOGONAL, .choices = DEER_INIT_CHOICES,                            \
        .help = "initial weights from step to step"                                                \
  }

/* A layer while it is unrolled. Gates are the numbers a unit computes at each step. */
typedef struct deer_recurrent {
  deer_layer_build *b;
  const deer_recurrent_options *options;
  int batch, steps, units, gates;
  deer_node inputs;   /* x W + b of all steps, flat: [steps][batch][gates][units] */
  deer_node weight_h; /* [units, gates * units] */
} deer_recurrent;

#define DEER_MAX_GATES  4
#define DEER_MAX_STATES 2 /* what is carried from step to step: h and c */

/* Asks for "weight_x", "bias" and "weight_h" and multiplies the inputs x [batch, steps, features]
 * of all steps at once. Fails the graph when there is only one step and nothing is carried over. */
deer_recurrent deer_recurrent_begin(deer_layer_build *b, const deer_recurrent_options *options,
                                    int gates, deer_node x);

/* The inputs of step t and h W of the output h before it, [batch, gates * units] each. */
deer_node deer_recurrent_input(const deer_recurrent *r, int t);
deer_node deer_recurrent_product(const deer_recurrent *r, deer_node h);

/* Cuts z [batch, gates * units] into out[gates] of shape [batch, units]. */
void deer_recurrent_cut(const deer_recurrent *r, deer_node z, deer_node *out);

/* One step: state[i], [batch, units], from state[i] before it; state[0] is the output. */
typedef void deer_recurrent_step(const deer_recurrent *r, const void *context, int t,
                                 deer_node *state);

/* Takes all steps from what is carried over or zeros, n_states of them, and tells what is to be
 * carried on. Gives [batch, units], or [batch, steps, units] for the sequence. */
deer_node deer_recurrent_run(const deer_recurrent *r, const void *context, int n_states,
                             deer_recurrent_step *step);

#endif
