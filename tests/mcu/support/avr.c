/* Output and end of a program on an emulated AVR: the serial port, and sleep without interrupts. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

void put(const char *text);
void quit(int status);

void put(const char *text)
{
    UCSR0B = (1 << TXEN0);
    while (*text != '\0') {
        while ((UCSR0A & (1 << UDRE0)) == 0) {
        }
        UDR0 = (uint8_t)*text++;
    }
}

void quit(int status)
{
    put(status == 0 ? "exit 0\n" : "exit 1\n");
    while ((UCSR0A & (1 << TXC0)) == 0) {
    }
    cli();
    SMCR = (1 << SM1) | (1 << SE); /* power down */
    sleep_cpu();
}
