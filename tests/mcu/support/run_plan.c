/* Runs the kernels on files that tests/mcu/test_aarch64.py writes: a plan, its inputs, and what the reference
 * engine gives. Exit status 0: all results are equal, of all rows at once and of each row alone. */
#include "skq_kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64 };

static void *aligned(size_t bytes)
{
    char *memory = malloc(bytes + 128);
    if (!memory)
        exit(3);
    return memory + (64 - (uintptr_t)memory % 64);
}

/* A run of bytes of the file, at an address that is a multiple of 64. */
static void *read_bytes(FILE *file, int64_t bytes)
{
    void *memory = aligned((size_t)bytes + 64);
    if (fread(memory, 1, (size_t)bytes, file) != (size_t)bytes)
        exit(2);
    return memory;
}

static int64_t read_number(FILE *file) { return *(int64_t *)read_bytes(file, 8); }

/* Number of failed comparisons of rows [first, first + n). */
static int compare(const void *descriptors, const void *constants, const skq_input *inputs,
                   char *const *expected, const int64_t *row_bytes, int64_t first, int64_t n)
{
    skq_program program;
    void *outputs[MOST];
    skq_input moved[MOST];
    const void *rest = skq_read_program(descriptors, &program);
    skq_open(&program, rest, constants, aligned(skq_opened_bytes(&program)));
    for (int32_t i = 0; i < program.n_inputs; i++) {
        moved[i] = inputs[i];
        moved[i].data = (const char *)inputs[i].data + first * inputs[i].row_stride;
    }
    for (int32_t i = 0; i < program.n_outputs; i++)
        outputs[i] = aligned((size_t)(n * row_bytes[i]) + 8);
    skq_select(&program, outputs);
    const int64_t block = program.block < n ? program.block : n;
    void *arena = aligned(skq_arena_bytes(&program, block, n));
    int failures = skq_run(&program, moved, outputs, 0, n, block, arena, SKQ_REFUSE_NONE,
                           skq_best_isa()) != SKQ_OK;
    for (int32_t i = 0; i < program.n_outputs; i++)
        failures += memcmp(outputs[i], expected[i] + first * row_bytes[i],
                           (size_t)(n * row_bytes[i])) != 0;
    return failures;
}

static int check(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        exit(2);
    const int64_t n_rows = read_number(file), n_inputs = read_number(file);
    const int64_t n_outputs = read_number(file);
    if (n_inputs > MOST || n_outputs > MOST)
        exit(2);
    const void *descriptors = read_bytes(file, read_number(file));
    const void *constants = read_bytes(file, read_number(file));
    skq_input inputs[MOST];
    char *expected[MOST];
    int64_t row_bytes[MOST];
    for (int64_t i = 0; i < n_inputs; i++) {
        const int64_t dtype = read_number(file), size = read_number(file), item = read_number(file);
        const skq_input input = {read_bytes(file, n_rows * size * item), size * item, item,
                                 (int32_t)dtype, 0};
        inputs[i] = input;
    }
    for (int64_t i = 0; i < n_outputs; i++) {
        row_bytes[i] = 8 * read_number(file);
        expected[i] = read_bytes(file, n_rows * row_bytes[i]);
    }
    fclose(file);
    int failures = compare(descriptors, constants, inputs, expected, row_bytes, 0, n_rows);
    for (int64_t r = 0; r < n_rows; r += 7)
        failures += compare(descriptors, constants, inputs, expected, row_bytes, r, 1);
    return failures;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++)
        if (check(argv[i])) {
            printf("%s differs\n", argv[i]);
            failed = 1;
        }
    printf("%d plans ran\n", argc - 1);
    return failed;
}
