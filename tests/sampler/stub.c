/* A stand-in for libnvidia-ml.so.1 that says what a text file tells it: lines `gpu0.power=318450`, `gpu0.mig1.gi=5`.
 *
 * The file (environment: NVML_STUB) is read again whenever the number of GPUs is asked for, so that a test changes what
 * the driver says while the sampler runs. A value `!15` is an error code; what the file does not hold is not supported.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST 2048
typedef struct { char name[64]; char text[448]; } entry;
typedef struct { char prefix[32]; int gpu, mig; } device;
typedef struct { unsigned gpu, memory; } rates;
typedef struct { unsigned long long total, free, used; } sizes_v1;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } sizes_v2;
typedef struct { unsigned pid; unsigned long long memory; unsigned gi, ci; } program;
typedef struct { unsigned pid; unsigned long long at; unsigned sm, mem, enc, dec; } share;
typedef struct { device *from; unsigned long long kind, code; unsigned gi, ci; } event;
typedef struct { unsigned sms, copy, dec, enc, jpeg, ofa, gi_slices, ci_slices; unsigned long long mib; } attributes;
typedef struct { unsigned version, supported; } gpm_support;
typedef struct { char prefix[48]; unsigned number; } gpm_sample;
typedef struct { unsigned id; int code; double value; const char *names[3]; } gpm_metric;
typedef struct { unsigned version, count; gpm_sample *before, *after; gpm_metric metrics[477]; } gpm_question;

static entry said[MOST];
static int count;
static device devices[64];
static int device_count;
static unsigned long long last_event, taken;
static int samples_alive;

static void read_file(void) {
    const char *path = getenv("NVML_STUB");
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[600];
    count = 0;
    while (file && count < MOST && fgets(line, sizeof line, file)) {
        char *equals = strchr(line, '=');
        line[strcspn(line, "\n")] = 0;
        if (!equals) continue;
        *equals = 0;
        snprintf(said[count].name, sizeof said[count].name, "%.63s", line);
        snprintf(said[count].text, sizeof said[count].text, "%.447s", equals + 1);
        count++;
    }
    if (file) fclose(file);
}

/* The text of `prefix.key`, or NULL with the error in *code. */
static const char *find(const char *prefix, const char *key, int *code) {
    char name[128];
    snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "", key);
    for (int i = 0; i < count; i++)
        if (!strcmp(said[i].name, name)) {
            if (said[i].text[0] == '!') { *code = atoi(said[i].text + 1); return NULL; }
            *code = 0;
            return said[i].text;
        }
    *code = 3;
    return NULL;
}

static int number(const char *prefix, const char *key, unsigned long long *out) {
    int code;
    const char *text = find(prefix, key, &code);
    if (text) *out = strtoull(text, NULL, 10);
    return code;
}

static int small(device *d, const char *key, unsigned *out) {
    unsigned long long wide;
    int code = number(d->prefix, key, &wide);
    if (!code) *out = (unsigned)wide;
    return code;
}

static int copy(device *d, const char *key, char *out, unsigned length) {
    int code;
    const char *text = find(d->prefix, key, &code);
    if (text) snprintf(out, length, "%s", text);
    return code;
}

static device *known(int gpu, int mig) {
    for (int i = 0; i < device_count; i++)
        if (devices[i].gpu == gpu && devices[i].mig == mig) return &devices[i];
    device *d = &devices[device_count++];
    d->gpu = gpu;
    d->mig = mig;
    if (mig < 0) snprintf(d->prefix, sizeof d->prefix, "gpu%d", gpu);
    else snprintf(d->prefix, sizeof d->prefix, "gpu%d.mig%d", gpu, mig);
    return d;
}

int nvmlInitWithFlags(unsigned flags) {
    unsigned long long code = 0;
    (void)flags;
    read_file();
    number("", "init", &code);
    return (int)code;
}
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) { (void)code; return "error of the stub"; }

int nvmlDeviceGetCount_v2(unsigned *out) {
    unsigned long long wide;
    read_file();
    int code = number("", "count", &wide);
    *out = (unsigned)wide;
    return code;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, device **out) {
    unsigned long long code = 0;
    *out = known((int)index, -1);
    number((*out)->prefix, "lost", &code);
    return (int)code;
}
int nvmlDeviceGetUUID(device *d, char *out, unsigned n) { return copy(d, "uuid", out, n); }
int nvmlDeviceGetName(device *d, char *out, unsigned n) { return copy(d, "name", out, n); }
int nvmlDeviceGetUtilizationRates(device *d, rates *r) {
    int code = small(d, "util", &r->gpu);
    return code ? code : small(d, "util_memory", &r->memory);
}
int nvmlDeviceGetEncoderUtilization(device *d, unsigned *u, unsigned *period) { *period = 166666; return small(d, "encoder", u); }
int nvmlDeviceGetDecoderUtilization(device *d, unsigned *u, unsigned *period) { *period = 166666; return small(d, "decoder", u); }
int nvmlDeviceGetMemoryInfo(device *d, sizes_v1 *m) {
    unsigned long long reserved = 0;
    int code = number(d->prefix, "total", &m->total);
    if (code || (code = number(d->prefix, "used", &m->used))) return code;
    number(d->prefix, "reserved", &reserved);
    m->used += reserved;
    m->free = m->total - m->used;
    return 0;
}
int nvmlDeviceGetMemoryInfo_v2(device *d, sizes_v2 *m) {
    unsigned long long v2;
    int code = number(d->prefix, "memory_v2", &v2);
    if (code && code != 3) return code;
    if ((code = number(d->prefix, "total", &m->total)) || (code = number(d->prefix, "used", &m->used))) return code;
    m->reserved = 0;
    number(d->prefix, "reserved", &m->reserved);
    m->free = m->total - m->used - m->reserved;
    return 0;
}
int nvmlDeviceGetPowerUsage(device *d, unsigned *out) {
    unsigned long long seconds = 0;
    if (!number(d->prefix, "hangs", &seconds)) sleep((unsigned)seconds);
    return small(d, "power", out);
}
int nvmlDeviceGetTotalEnergyConsumption(device *d, unsigned long long *out) { return number(d->prefix, "energy", out); }
int nvmlDeviceGetTotalEccErrors(device *d, unsigned kind, unsigned counter, unsigned long long *out) {
    (void)counter;
    return number(d->prefix, kind ? "ecc_uncorrected" : "ecc_corrected", out);
}
int nvmlDeviceGetRemappedRows(device *d, unsigned *c, unsigned *u, unsigned *pending, unsigned *failed) {
    int code = small(d, "remapped", u);
    *c = *pending = *failed = 0;
    return code;
}
int nvmlDeviceGetRetiredPages(device *d, unsigned cause, unsigned *n, unsigned long long *pages) {
    unsigned retired;
    int code = small(d, cause ? "retired_double" : "retired_single", &retired);
    if (code) return code;
    if (!pages) { *n = retired; return retired ? 7 : 0; }
    for (unsigned i = 0; i < retired; i++) pages[i] = i;
    *n = retired;
    return 0;
}
int nvmlDeviceGetRetiredPagesPendingStatus(device *d, unsigned *out) { return small(d, "retirement", out); }

int nvmlDeviceGetMigMode(device *d, unsigned *current, unsigned *pending) {
    int code = small(d, "mig_mode", current);
    *pending = *current;
    return code;
}
int nvmlDeviceGetMaxMigDeviceCount(device *d, unsigned *out) { (void)d; *out = 7; return 0; }
int nvmlDeviceGetMigDeviceHandleByIndex(device *d, unsigned index, device **out) {
    unsigned gi;
    *out = known(d->gpu, (int)index);
    return small(*out, "gi", &gi) ? 6 : 0;
}
int nvmlDeviceGetGpuInstanceId(device *d, unsigned *out) { return small(d, "gi", out); }
int nvmlDeviceGetAttributes_v2(device *d, attributes *a) {
    memset(a, 0, sizeof *a);
    return small(d, "slices", &a->gi_slices);
}

static int programs(device *d, const char *key, unsigned *n, program *out) {
    int code;
    unsigned found = 0;
    const char *at = find(d->prefix, key, &code);
    if (!at) return code;
    for (; *at; found++) {
        unsigned pid;
        unsigned long long memory;
        int length = 0;
        if (sscanf(at, "%u:%llu%n", &pid, &memory, &length) < 2) break;
        if (out) out[found] = (program){pid, memory ? memory : ~0ULL, ~0U, ~0U};
        at += length + (at[length] == ',');
    }
    if (!out && found) { *n = found; return 7; }
    *n = found;
    return 0;
}
int nvmlDeviceGetComputeRunningProcesses_v3(device *d, unsigned *n, program *out) { return programs(d, "running", n, out); }
int nvmlDeviceGetGraphicsRunningProcesses_v3(device *d, unsigned *n, program *out) { return programs(d, "drawing", n, out); }
int nvmlDeviceGetMPSComputeRunningProcesses_v3(device *d, unsigned *n, program *out) { return programs(d, "sharing", n, out); }

int nvmlDeviceGetProcessUtilization(device *d, share *out, unsigned *n, unsigned long long since) {
    int code;
    unsigned found = 0;
    const char *at = find(d->prefix, "shares", &code);
    if (!at) return code;
    while (*at) {
        share s = {0};
        int length = 0;
        if (sscanf(at, "%u:%llu:%u:%u%n", &s.pid, &s.at, &s.sm, &s.mem, &length) < 4) break;
        if (s.at > since) { if (out) out[found] = s; found++; }
        at += length + (at[length] == ',');
    }
    if (!found) return 6;
    *n = found;
    return out ? 0 : 7;
}

int nvmlEventSetCreate(void **out) { *out = &last_event; return 0; }
int nvmlEventSetFree(void *set) { (void)set; return 0; }
int nvmlDeviceGetSupportedEventTypes(device *d, unsigned long long *out) { return number(d->prefix, "events", out); }
int nvmlDeviceRegisterEvents(device *d, unsigned long long kinds, void *set) { (void)d; (void)kinds; (void)set; return 0; }
/* event=SERIAL:GPU:XID:INSTANCE is told once for each serial number. */
int nvmlEventSetWait_v2(void *set, event *out, unsigned timeout) {
    int code, gpu;
    unsigned long long serial, xid, gi;
    const char *text = find("", "event", &code);
    (void)set; (void)timeout;
    if (!text || sscanf(text, "%llu:%d:%llu:%llu", &serial, &gpu, &xid, &gi) < 4 || serial <= last_event) return 10;
    last_event = serial;
    *out = (event){known(gpu, -1), 8, xid, (unsigned)gi, ~0U};
    return 0;
}

int nvmlGpmQueryDeviceSupport(device *d, gpm_support *out) { return small(d, "gpm", &out->supported); }
int nvmlGpmSampleAlloc(gpm_sample **out) { *out = calloc(1, sizeof **out); return ++samples_alive > 16 ? 20 : 0; }
int nvmlGpmSampleFree(gpm_sample *s) { free(s); samples_alive--; return 0; }
int nvmlGpmSampleGet(device *d, gpm_sample *s) {
    snprintf(s->prefix, sizeof s->prefix, "%s", d->prefix);
    s->number = (unsigned)++taken;
    return 0;
}
int nvmlGpmMigSampleGet(device *d, unsigned gi, gpm_sample *s) {
    snprintf(s->prefix, sizeof s->prefix, "%s.gi%u", d->prefix, gi);
    s->number = (unsigned)++taken;
    return 0;
}
int nvmlGpmMetricsGet(gpm_question *q) {
    if (q->version != 1 || q->before == q->after || q->before->number >= q->after->number) return 2;
    for (unsigned i = 0; i < q->count; i++) {
        char key[16];
        int code;
        snprintf(key, sizeof key, "gpm%u", q->metrics[i].id);
        const char *text = find(q->after->prefix, key, &code);
        q->metrics[i].code = code;
        q->metrics[i].value = text ? strtod(text, NULL) : 0;
    }
    return 0;
}
