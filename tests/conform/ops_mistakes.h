/* ops_mistakes.h: wrong calls of every op, and what the message must say about them. */
#ifndef OPS_MISTAKES_H
#define OPS_MISTAKES_H

#include "graph/op.h"

/* ---- mistakes: a status, and a message that names the op and its inputs ---- */

/* inputs every mistake may use */
typedef struct inputs {
  deer_node a, b, vector, scalar, picture, filters, index, bytes;
} inputs;

typedef struct mistake {
  const char *what, *op, *input; /* parts of the message */
  deer_node (*build)(deer_graph *g, const inputs *in);
} mistake;

#define WRONG(name, expression)                                                                    \
  static deer_node wrong_##name(deer_graph *g, const inputs *in) { return expression; }

WRONG(add, deer_add(g, in->a, in->b))
WRONG(add_rank, deer_add(g, in->a, in->vector))
WRONG(where, deer_where(g, in->a, in->a, in->b))
WRONG(mul_dtype, deer_mul(g, in->index, in->index))
WRONG(exp_dtype, deer_exp(g, in->bytes))
WRONG(scale, deer_scale(g, in->a, NAN))
WRONG(scale_dtype, deer_scale(g, in->index, 2))
WRONG(shift, deer_shift(g, in->a, INFINITY))
WRONG(clip, deer_clip(g, in->a, 2, 1))
WRONG(clip_nan, deer_clip(g, in->a, NAN, 1))
WRONG(leaky_relu, deer_leaky_relu(g, in->a, INFINITY))
WRONG(elu, deer_elu(g, in->a, NAN))
WRONG(elu_dtype, deer_elu(g, in->index, 1))
WRONG(pow, deer_pow(g, in->a, in->b))
WRONG(equal, deer_equal(g, in->a, in->vector))
WRONG(scale_gradient, deer_scale_gradient(g, in->a, NAN))
WRONG(clip_gradient, deer_clip_gradient(g, in->a, -1))
WRONG(layer_norm, deer_layer_norm(g, in->a, DEER_NONE, DEER_NONE, 0))
WRONG(layer_norm_gain,
      deer_layer_norm(g, in->b, deer_reshape(g, in->scalar, DEER_SHAPE(1)), in->vector, 1))
WRONG(layer_norm_rank, deer_layer_norm(g, in->scalar, DEER_NONE, DEER_NONE, 1))
WRONG(batch_norm_rank,
      deer_batch_norm(g, in->vector, &(deer_batch_norm_spec){.epsilon = 1}, NULL, NULL))
WRONG(batch_norm_rate,
      deer_batch_norm(g, in->a, &(deer_batch_norm_spec){.epsilon = 1, .rate = 2}, NULL, NULL))
WRONG(huber, deer_huber(g, in->a, 0))
WRONG(cast, deer_cast(g, in->a))
WRONG(matmul, deer_matmul(g, in->a, in->b, false, false))
WRONG(matmul_t, deer_matmul(g, in->a, in->b, true, true))
WRONG(matmul_rank, deer_matmul(g, in->a, in->vector, false, false))
WRONG(matmul_dtype, deer_matmul(g, in->a, in->index, false, false))
WRONG(inverse, deer_spd_inverse(g, in->a))
WRONG(inverse_rank, deer_spd_inverse(g, in->vector))
WRONG(inverse_dtype, deer_spd_inverse(g, in->index))
WRONG(diagonal, deer_diagonal(g, in->a))
WRONG(diagonal_matrix, deer_diagonal_matrix(g, in->a))
WRONG(matmul_mixed, deer_matmul(g, deer_reshape(g, in->a, DEER_SHAPE(1, 2, 3)), in->b, false, true))
WRONG(matmul_batch, deer_matmul(g, deer_reshape(g, in->a, DEER_SHAPE(2, 1, 3)),
                                deer_reshape(g, in->b, DEER_SHAPE(4, 3, 1)), false, false))
WRONG(matmul_inner, deer_matmul(g, deer_reshape(g, in->a, DEER_SHAPE(2, 3, 1)),
                                deer_reshape(g, in->b, DEER_SHAPE(2, 3, 2)), false, false))
WRONG(polygamma_order, deer_polygamma(g, in->a, -1))
WRONG(polygamma_dtype, deer_polygamma(g, in->index, 0))
WRONG(gamma_stream, deer_random_gamma(g, NULL, in->a))
#define ONE ((deer_window){1, 1, 0, 0})
WRONG(conv_rank, deer_conv2d(g, in->a, in->filters, ONE))
WRONG(conv_channels,
      deer_conv2d(g, in->picture, deer_reshape(g, in->filters, DEER_SHAPE(6, 2, 2, 2)), ONE))
WRONG(conv_large, deer_conv2d(g, in->filters, in->picture, ONE))
WRONG(conv_most, deer_conv2d(g, deer_expand(g, in->scalar, DEER_SHAPE(1, 1, 5000, 5000), 0),
                             deer_constant(g, DEER_SHAPE(1, 1, 5000, 5000), 0), ONE))
WRONG(conv_stride, deer_conv2d(g, in->picture, in->filters, (deer_window){0, 1, 0, 0}))
WRONG(conv_pad, deer_conv2d(g, in->picture, in->filters, (deer_window){1, 1, 0, -1}))
WRONG(conv_far, deer_conv2d(g, in->picture, in->filters, (deer_window){1, 1, 1 << 24, 1 << 24}))
WRONG(conv_farther, deer_conv2d(g, in->picture, in->filters, (deer_window){1, 1, INT32_MAX, 0}))
WRONG(conv_dtype,
      deer_conv2d(g, deer_input(g, "x", DEER_DTYPE_I32, DEER_SHAPE(2, 3, 6, 5)), in->filters, ONE))
WRONG(conv_bytes, deer_conv2d(g, in->picture,
                              deer_input(g, "bytes", DEER_DTYPE_U8, DEER_SHAPE(4, 3, 2, 2)), ONE))
WRONG(conv1d_rank, deer_conv1d(g, in->a, in->filters, 1, 0))
WRONG(transpose_rank, deer_conv2d_transpose(g, in->a, in->filters, ONE))
WRONG(transpose_filters, deer_conv2d_transpose(g, in->picture, in->filters, ONE))
WRONG(transpose_pad, deer_conv2d_transpose(g, in->picture, in->filters, (deer_window){1, 1, 9, 0}))
WRONG(transpose_stride,
      deer_conv2d_transpose(g, deer_slice(g, in->picture, 1, 0, 3),
                            deer_slice(g, in->filters, 0, 0, 3), (deer_window){-1, 1, 0, 0}))
WRONG(conv_bias,
      deer_graph_add(g, &deer_op_conv2d, (deer_node[]){in->picture, in->filters, in->vector}, 3,
                     &(deer_attr){.number = {1, 1}, .mask = DEER_FINISH_BIAS}))
WRONG(conv_gate,
      deer_graph_add(g, &deer_op_conv2d, (deer_node[]){in->picture, in->filters, in->picture}, 3,
                     &(deer_attr){.number = {1, 1}, .mask = DEER_FINISH_GATE}))
WRONG(conv_few, deer_graph_add(g, &deer_op_conv2d, &in->picture, 1, NULL))
WRONG(conv_many,
      deer_graph_add(g, &deer_op_conv2d, (deer_node[]){in->picture, in->filters, in->vector}, 3,
                     &(deer_attr){.number = {1, 1}}))
WRONG(pool_rank, deer_maxpool2d(g, in->a, 2, 2, ONE))
WRONG(pool_large, deer_maxpool2d(g, in->picture, 7, 2, ONE))
WRONG(pool_zero, deer_maxpool2d(g, in->picture, 2, 0, ONE))
WRONG(pool_stride, deer_maxpool2d(g, in->picture, 2, 2, (deer_window){1, 0, 0, 0}))
WRONG(pool_pad, deer_avgpool2d(g, in->picture, 2, 3, (deer_window){1, 1, 2, 0}))
WRONG(pool_dtype, deer_avgpool2d(g, in->bytes, 2, 3, ONE))
WRONG(sum_axis, deer_sum(g, in->a, DEER_AXIS(2)))
WRONG(sum_dtype, deer_sum(g, in->index, 1))
WRONG(mean_axis, deer_mean(g, in->scalar, DEER_AXIS(0)))
WRONG(expand_axis, deer_expand(g, in->vector, DEER_SHAPE(2, 3), DEER_AXIS(2)))
WRONG(expand_dim, deer_expand(g, in->vector, DEER_SHAPE(2, 4), DEER_AXIS(1)))
WRONG(expand_few, deer_expand(g, in->a, DEER_SHAPE(2, 3), DEER_AXIS(0)))
WRONG(expand_many, deer_expand(g, in->vector, DEER_SHAPE(3, 3), 3))
WRONG(expand_zero, deer_expand(g, in->scalar, DEER_SHAPE(0), 0))
WRONG(expand_huge, deer_expand(g, in->scalar, DEER_SHAPE(65536, 65536), 0))
WRONG(max_scalar, deer_max_last(g, in->scalar))
WRONG(max_dtype, deer_max_last(g, in->index))
WRONG(argmax_scalar, deer_argmax_last(g, in->scalar))
WRONG(min_scalar, deer_min_last(g, in->scalar))
WRONG(max_axis, deer_max_axis(g, in->a, 2))
WRONG(min_axis, deer_min_axis(g, in->a, -1))
WRONG(argmax_axis, deer_argmax(g, in->scalar, 0))
WRONG(argmin_axis, deer_argmin(g, in->a, 3))
WRONG(softmax_axis, deer_softmax(g, in->a, 2))
WRONG(softmax_dtype, deer_softmax(g, in->index, 0))
WRONG(log_softmax_axis, deer_log_softmax(g, in->scalar, 0))
WRONG(logsumexp_axis, deer_logsumexp(g, in->a, -2))
WRONG(logsumexp_dtype, deer_logsumexp(g, in->index, 1))
WRONG(cumsum_axis, deer_cumsum(g, in->a, 2, false))
WRONG(cumsum_dtype, deer_cumsum(g, in->index, 0, true))
WRONG(var_axis, deer_var(g, in->a, DEER_AXIS(2)))
WRONG(std_dtype, deer_std(g, in->index, 1))
WRONG(one_hot_dtype, deer_one_hot(g, in->a, 3))
WRONG(one_hot_zero, deer_one_hot(g, in->index, 0))
WRONG(rows_dtype, deer_rows(g, in->a, in->a))
WRONG(rows_table, deer_rows(g, in->scalar, in->index))
WRONG(rows_axes, deer_rows(g, deer_reshape(g, in->b, DEER_SHAPE(4, 3, 1, 1, 1, 1)), in->index))
WRONG(put_rows_shape, deer_put_rows(g, in->b, in->index, 4))
WRONG(put_rows_dtype, deer_put_rows(g, in->index, in->index, 4))
WRONG(put_rows_zero, deer_put_rows(g, deer_reshape(g, in->a, DEER_SHAPE(2, 1, 3)), in->index, 0))
WRONG(stack_none, deer_stack(g, &in->a, 0, 0))
WRONG(stack_axis, deer_stack(g, &in->a, 1, 3))
WRONG(stack_shape, deer_stack(g, (deer_node[]){in->a, in->b}, 2, 0))
WRONG(take_dtype, deer_take(g, in->a, in->a))
WRONG(take_rows, deer_take(g, in->b, in->index))
WRONG(take_rank, deer_take(g, in->vector, in->index))
WRONG(take_scalar, deer_take(g, in->scalar, in->index))
WRONG(put_shape, deer_put(g, in->a, in->index, 4))
WRONG(put_length, deer_put(g, deer_take(g, in->a, in->index), in->index, 0))
WRONG(gather, deer_gather(g, in->a, in->index))
WRONG(reshape, deer_reshape(g, in->a, DEER_SHAPE(7)))
WRONG(axes, deer_transpose(g, in->a, (int[]){0, 0}))
WRONG(axes_range, deer_transpose(g, in->a, (int[]){0, 2}))
WRONG(axes_negative, deer_transpose(g, in->a, (int[]){-1, 0}))
WRONG(concat_none, deer_concat(g, &in->a, 0, 0))
WRONG(concat_dim, deer_concat(g, (deer_node[]){in->a, in->b}, 2, 1))
WRONG(concat_rank, deer_concat(g, (deer_node[]){in->a, in->vector}, 2, 0))
WRONG(concat_dtype, deer_concat(g, (deer_node[]){in->a, in->index}, 2, 1))
WRONG(concat_axis, deer_concat(g, (deer_node[]){in->a, in->a}, 2, 2))
WRONG(concat_scalar, deer_concat(g, (deer_node[]){in->scalar, in->scalar}, 2, 0))
WRONG(slice_axis, deer_slice(g, in->a, -1, 0, 1))
WRONG(slice_start, deer_slice(g, in->a, 1, -1, 2))
WRONG(slice_end, deer_slice(g, in->a, 1, 2, 2))
WRONG(slice_length, deer_slice(g, in->a, 1, 1, 0))
WRONG(slice_far, deer_slice(g, in->a, 1, INT32_MAX, INT32_MAX))
WRONG(pad_axis, deer_pad(g, in->a, 2, 0, 4))
WRONG(pad_short, deer_pad(g, in->a, 1, 0, 2))
WRONG(pad_start, deer_pad(g, in->a, 1, 2, 4))
WRONG(pad_least, deer_pad(g, in->a, 1, 0, INT32_MIN))
WRONG(view_end, deer_view(g, in->vector, 1, DEER_SHAPE(3)))
WRONG(view_start, deer_view(g, in->vector, -1, DEER_SHAPE(1)))
WRONG(view_rank, deer_view(g, in->a, 0, DEER_SHAPE(3)))
WRONG(pack_end, deer_pack(g, &in->a, (int[]){3}, 1, 8))
WRONG(pack_dtype, deer_pack(g, &in->index, (int[]){0}, 1, 8))
WRONG(assign, deer_assign(g, in->a, in->a))

static const mistake mistakes[] = {
    {"differ", "add(", "b [4, 3]", wrong_add},
    {"differ", "add(", "vector [3]", wrong_add_rank},
    {"differ", "where(", "b [4, 3]", wrong_where},
    {"int32", "mul(", "index [2, 1]", wrong_mul_dtype},
    {"uint8", "exp(", "bytes [3]", wrong_exp_dtype},
    {"finite", "scale(", "a [2, 3]", wrong_scale},
    {"int32", "scale(", "index", wrong_scale_dtype},
    {"finite", "shift(", "a [2, 3]", wrong_shift},
    {"low 2", "clip(", "a [2, 3]", wrong_clip},
    {"nan", "clip(", "a [2, 3]", wrong_clip_nan},
    {"finite", "leaky_relu(", "a [2, 3]", wrong_leaky_relu},
    {"finite", "elu(", "a [2, 3]", wrong_elu},
    {"int32", "elu(", "index", wrong_elu_dtype},
    {"differ", "pow(", "b [4, 3]", wrong_pow},
    {"differ", "equal(", "vector [3]", wrong_equal},
    {"finite", "scale_gradient(", "a [2, 3]", wrong_scale_gradient},
    {"-1", "clip_gradient(", "a [2, 3]", wrong_clip_gradient},
    {"epsilon", "standardize(", "a [2, 3]", wrong_layer_norm},
    {"axis 1", "expand(", "[1]", wrong_layer_norm_gain},
    {"scalar", "standardize(", "scalar []", wrong_layer_norm_rank},
    {"[batch", "batch_norm", "1 axes", wrong_batch_norm_rank},
    {"rate", "batch_norm", "2", wrong_batch_norm_rate},
    {"threshold", "huber", "0", wrong_huber},
    {"uint8 or int32", "cast(", "a [2, 3]", wrong_cast},
    {"3 columns", "matmul(", "b [4, 3]", wrong_matmul},
    {"transposed", "matmul(", "b [4, 3]", wrong_matmul_t},
    {"matrix", "matmul(", "vector [3]", wrong_matmul_rank},
    {"int32", "matmul(", "index", wrong_matmul_dtype},
    {"0 to 16", "polygamma(", "a [2, 3]", wrong_polygamma_order},
    {"int32", "polygamma(", "index", wrong_polygamma_dtype},
    {"stream", "random_gamma(", "a [2, 3]", wrong_gamma_stream},
    {"square", "spd_inverse(", "a [2, 3]", wrong_inverse},
    {"square", "spd_inverse(", "vector [3]", wrong_inverse_rank},
    {"int32", "spd_inverse(", "index", wrong_inverse_dtype},
    {"square", "diagonal(", "a [2, 3]", wrong_diagonal},
    {"vector", "diagonal_matrix(", "a [2, 3]", wrong_diagonal_matrix},
    {"batch of matrices", "matmul(", "[1, 2, 3]", wrong_matmul_mixed},
    {"2 matrices", "matmul(", "[4, 3, 1]", wrong_matmul_batch},
    {"1 columns", "matmul(", "[2, 3, 2]", wrong_matmul_inner},
    {"[batch", "conv2d(", "a [2, 3]", wrong_conv_rank},
    {"2 channels", "conv2d(", "picture [2, 3, 6, 5]", wrong_conv_channels},
    {"do not fit into", "conv2d(", "picture [2, 3, 6, 5]", wrong_conv_large},
    {"more than 16777216", "conv2d(", "expand", wrong_conv_most},
    {"0 and 1", "conv2d(", "picture", wrong_conv_stride},
    {"0 and -1", "conv2d(", "picture", wrong_conv_pad},
    {"padded picture", "conv2d(", "picture", wrong_conv_far},
    {"2147483647 and 0", "conv2d(", "picture", wrong_conv_farther},
    {"input 1 must be", "conv2d(", "x [2, 3, 6, 5]", wrong_conv_dtype},
    {"input 2 must be", "conv2d(", "bytes [4, 3, 2, 2]", wrong_conv_bytes},
    {"[batch", "conv2d(", "a [2, 3]", wrong_conv1d_rank},
    {"[batch", "conv2d_transpose", "filters", wrong_transpose_rank},
    {"input 2 must be", "conv2d_input(", "picture", wrong_transpose_filters},
    {"-11 by 6", "conv2d_transpose", "-11", wrong_transpose_pad},
    {"would be", "conv2d_transpose", "-3", wrong_transpose_stride},
    {"4 elements", "conv2d(", "vector [3]", wrong_conv_bias},
    {"shape of the result", "conv2d(", "filters", wrong_conv_gate},
    {"expected 2 inputs", "conv2d(", "picture", wrong_conv_few},
    {"expected 2 inputs", "conv2d(", "vector [3]", wrong_conv_many},
    {"[batch", "maxpool2d(", "a [2, 3]", wrong_pool_rank},
    {"7 by 2", "maxpool2d(", "picture", wrong_pool_large},
    {"2 by 0", "maxpool2d(", "picture", wrong_pool_zero},
    {"1 and 0", "maxpool2d(", "picture", wrong_pool_stride},
    {"2 and 0 is not smaller", "sumpool2d(", "picture", wrong_pool_pad},
    {"must be", "sumpool2d(", "bytes", wrong_pool_dtype},
    {"axis", "sum(", "a [2, 3]", wrong_sum_axis},
    {"int32", "sum(", "index", wrong_sum_dtype},
    {"axis", "sum(", "scalar []", wrong_mean_axis},
    {"mask", "expand(", "vector [3]", wrong_expand_axis},
    {"axis 1 of [2, 4]", "expand(", "vector [3]", wrong_expand_dim},
    {"axes", "expand(", "a [2, 3]", wrong_expand_few},
    {"axis 1", "expand(", "vector [3]", wrong_expand_many},
    {"at least 1", "expand(", "scalar", wrong_expand_zero},
    {"elements", "expand(", "scalar", wrong_expand_huge},
    {"scalar", "max_last(", "scalar []", wrong_max_scalar},
    {"int32", "max_last(", "index", wrong_max_dtype},
    {"scalar", "argmax_last(", "scalar []", wrong_argmax_scalar},
    {"scalar", "min_last(", "scalar []", wrong_min_scalar},
    {"axis 2", "max_axis", "2 axes", wrong_max_axis},
    {"axis -1", "min_axis", "2 axes", wrong_min_axis},
    {"axis 0", "argmax", "0 axes", wrong_argmax_axis},
    {"axis 3", "argmin", "2 axes", wrong_argmin_axis},
    {"axis 2", "softmax", "2 axes", wrong_softmax_axis},
    {"int32", "softmax(", "transpose", wrong_softmax_dtype},
    {"axis 0", "log_softmax", "0 axes", wrong_log_softmax_axis},
    {"axis -2", "logsumexp", "2 axes", wrong_logsumexp_axis},
    {"int32", "logsumexp(", "index [2, 1]", wrong_logsumexp_dtype},
    {"0 to 1", "cumsum(", "a [2, 3]", wrong_cumsum_axis},
    {"int32", "cumsum(", "index [2, 1]", wrong_cumsum_dtype},
    {"axis", "sum(", "a [2, 3]", wrong_var_axis},
    {"int32", "sum(", "index [2, 1]", wrong_std_dtype},
    {"int32", "put(", "[2, 3, 1]", wrong_one_hot_dtype},
    {"at least 1", "put(", "[2, 1, 1]", wrong_one_hot_zero},
    {"int32", "rows(", "a [2, 3]", wrong_rows_dtype},
    {"scalar", "rows(", "scalar []", wrong_rows_table},
    {"7 axes", "rows(", "index [2, 1]", wrong_rows_axes},
    {"begin", "put_rows(", "b [4, 3]", wrong_put_rows_shape},
    {"float", "put_rows(", "index [2, 1]", wrong_put_rows_dtype},
    {"at least 1", "put_rows(", "[2, 1, 3]", wrong_put_rows_zero},
    {"parts", "stack", "0", wrong_stack_none},
    {"axis 3", "stack", "2 axes", wrong_stack_axis},
    {"axis 1", "concat(", "[1, 4, 3]", wrong_stack_shape},
    {"must be int32", "take(", "a [2, 3]", wrong_take_dtype},
    {"axis 0", "take(", "b [4, 3]", wrong_take_rows},
    {"axes", "take(", "vector [3]", wrong_take_rank},
    {"scalar", "take(", "scalar []", wrong_take_scalar},
    {"index", "put(", "index [2, 1]", wrong_put_shape},
    {"at least 1", "put(", "index [2, 1]", wrong_put_length},
    {"axes", "take(", "a [2, 3]", wrong_gather},
    {"[7]", "reshape(", "a [2, 3]", wrong_reshape},
    {"twice", "transpose(", "a [2, 3]", wrong_axes},
    {"0 to 1", "transpose(", "a [2, 3]", wrong_axes_range},
    {"got -1", "transpose(", "a [2, 3]", wrong_axes_negative},
    {"part", "concat", "0", wrong_concat_none},
    {"axis 0", "concat(", "b [4, 3]", wrong_concat_dim},
    {"axes", "concat(", "vector [3]", wrong_concat_rank},
    {"int32", "concat(", "index", wrong_concat_dtype},
    {"0 to 1", "concat(", "a [2, 3]", wrong_concat_axis},
    {"scalar", "concat(", "scalar []", wrong_concat_scalar},
    {"-1", "slice(", "a [2, 3]", wrong_slice_axis},
    {"2 from -1", "slice(", "a [2, 3]", wrong_slice_start},
    {"2 from 2", "slice(", "a [2, 3]", wrong_slice_end},
    {"0 from 1", "slice(", "a [2, 3]", wrong_slice_length},
    {"inside", "slice(", "a [2, 3]", wrong_slice_far},
    {"0 to 1", "pad(", "a [2, 3]", wrong_pad_axis},
    {"length 2", "pad(", "a [2, 3]", wrong_pad_short},
    {"3 from 2", "pad(", "a [2, 3]", wrong_pad_start},
    {"inside", "pad(", "a [2, 3]", wrong_pad_least},
    {"outside", "view(", "vector [3]", wrong_view_end},
    {"outside", "view(", "vector [3]", wrong_view_start},
    {"flat", "view(", "a [2, 3]", wrong_view_rank},
    {"block", "pack(", "a [2, 3]", wrong_pack_end},
    {"block", "pack(", "index", wrong_pack_dtype},
    {"variable", "assign", "target", wrong_assign},
};

static inputs make_inputs(deer_graph *g) {
  return (inputs){
      .a = deer_input(g, "a", DEER_DTYPE_REAL, DEER_SHAPE(2, 3)),
      .b = deer_input(g, "b", DEER_DTYPE_REAL, DEER_SHAPE(4, 3)),
      .vector = deer_input(g, "vector", DEER_DTYPE_REAL, DEER_SHAPE(3)),
      .scalar = deer_input(g, "scalar", DEER_DTYPE_REAL, DEER_SCALAR),
      .picture = deer_input(g, "picture", DEER_DTYPE_REAL, DEER_SHAPE(2, 3, 6, 5)),
      .filters = deer_input(g, "filters", DEER_DTYPE_REAL, DEER_SHAPE(4, 3, 2, 2)),
      .index = deer_input(g, "index", DEER_DTYPE_I32, DEER_SHAPE(2, 1)),
      .bytes = deer_input(g, "bytes", DEER_DTYPE_U8, DEER_SHAPE(3)),
  };
}

#endif
