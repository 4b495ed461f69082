/* Start-up code and semihosting of an emulated Cortex-M. */
#include <stdint.h>

extern uint32_t data_source, data_start, data_end, bss_start, bss_end, stack_top;
int main(void);
void put(const char *text);
void quit(int status);
void reset(void);

__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
    &stack_top, (void *)reset
};

static int semihosting(int operation, const void *argument)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void put(const char *text)
{
    (void)semihosting(0x04, text); /* SYS_WRITE0 */
}

void quit(int status)
{
    const uint32_t block[2] = { 0x20026u, (uint32_t)status }; /* application exit */
    (void)semihosting(0x20, block);                            /* SYS_EXIT_EXTENDED */
    for (;;) {
    }
}

__attribute__((noreturn)) void reset(void)
{
    uint32_t *from = &data_source;
    uint32_t *to;
#ifdef __ARM_FP
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* access to the FPU */
    __asm__ volatile("dsb\n isb");
#endif
    for (to = &data_start; to < &data_end; to++) {
        *to = *from++;
    }
    for (to = &bss_start; to < &bss_end; to++) {
        *to = 0u;
    }
    quit(main());
    for (;;) {
    }
}
