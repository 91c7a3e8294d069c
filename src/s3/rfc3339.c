#include "rfc3339.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

/* Reads n digits; -1 if they are not all there. */
static int number(const char **text, size_t n)
{
    int value = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isdigit((unsigned char)(*text)[i]))
            return -1;
        value = value * 10 + (*text)[i] - '0';
    }
    *text += n;
    return value;
}

/* "Z", "+01:00" or "-01:00" to the end of the text. */
static bool offset(const char *text, int *seconds)
{
    *seconds = 0;
    if (strcasecmp(text, "Z") == 0)
        return true;
    int sign = *text == '+' ? 1 : *text == '-' ? -1 : 0;
    if (!sign)
        return false;
    text++;
    int hours = number(&text, 2);
    if (hours < 0 || hours > 23 || *text++ != ':')
        return false;
    int minutes = number(&text, 2);
    *seconds = sign * (hours * 3600 + minutes * 60);
    return minutes >= 0 && minutes < 60 && !*text;
}

bool rfc3339_parse(const char *text, int64_t *seconds)
{
    /* Each number, its size, its range, and what comes behind it. */
    static const struct {
        size_t digits;
        int min, max;
        const char *behind;
    } parts[] = {
        {4, 1970, 9999, "-" },
        {2, 1,    12,   "-" },
        {2, 1,    31,   "Tt"},
        {2, 0,    23,   ":" },
        {2, 0,    59,   ":" },
        {2, 0,    60,   NULL}
    };
    int values[sizeof parts / sizeof *parts];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        values[i] = number(&text, parts[i].digits);
        if (values[i] < parts[i].min || values[i] > parts[i].max)
            return false;
        if (parts[i].behind && (!*text || !strchr(parts[i].behind, *text++)))
            return false;
    }
    if (*text == '.') {
        size_t digits = strspn(text + 1, "0123456789");
        if (!digits)
            return false;
        text += 1 + digits;
    }
    int east;
    if (!offset(text, &east))
        return false;
    struct tm tm = {.tm_year = values[0] - 1900,
                    .tm_mon = values[1] - 1,
                    .tm_mday = values[2],
                    .tm_hour = values[3],
                    .tm_min = values[4],
                    .tm_sec = values[5]};
    *seconds = timegm(&tm) - east;
    return tm.tm_mday == values[2] || values[5] == 60;
}
