/* Start-up code and semihosting of an emulated RISC-V. */
#include <stdint.h>

int main(void);
void put(const char *text);
void quit(int status);

__asm__(".section .start, \"ax\"\n"
        ".globl start\n"
        "start:\n"
        "    la sp, stack_top\n"
        "    call run\n"
        ".text\n");

static int semihosting(int operation, const void *argument)
{
    register int a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = argument;
    __asm__ volatile(".option push\n"
                     ".option norvc\n"
                     ".balign 16\n"
                     "slli x0, x0, 0x1f\n"
                     "ebreak\n"
                     "srai x0, x0, 7\n"
                     ".option pop\n"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return a0;
}

void put(const char *text)
{
    (void)semihosting(0x04, text);
}

void quit(int status)
{
    const uint32_t block[2] = { 0x20026u, (uint32_t)status };
    (void)semihosting(0x20, block);
    for (;;) {
    }
}

__attribute__((used)) void run(void)
{
    quit(main());
}
