/* What is the same on a node and in the store. */
#include <string.h>

#include "prune_run.h"
#include "snapctl/base/str.h"

static bool is_trusted(const struct pruning *p, size_t place, const char *name)
{
    return p->trust && p->trust[place] == PRUNE_TRUST && strcmp(name, p->saved) == 0;
}

/* What was saved is known by its form, too: an archive beside a plain snapshot of the name is an older one.
 */
static bool is_known_good(const struct pruning *p, size_t place, const struct inventory_snapshot *snapshot)
{
    bool there = false;
    for (size_t i = 0; i < snapshot->n_copies; i++)
        there |= snapshot->copies[i].plain == p->plain;
    return there && is_trusted(p, place, snapshot->name);
}

void prune_forget_copy(const struct pruning *p, struct retention_entry *entry, bool plain)
{
    if (plain == p->plain)
        entry->known_good = false;
}

bool prune_is_imagined(const struct pruning *p, size_t place, const char *name)
{
    return p->options->dry_run && is_trusted(p, place, name);
}

/* What a dry run does not save would count as the newest. */
static void imagine(struct pruning *p, size_t place, int64_t now)
{
    const struct inventory_copy copy = {.modified = now, .plain = p->plain, .state_file = INVENTORY_YES};
    if (!p->saved || !prune_is_imagined(p, place, p->saved))
        return;
    AUTO_FREE char *file = str_format("%s%s", p->saved, p->plain ? "" : ".zip");
    inventory_add(&p->parts[place].inventory, file, &copy);
}

void prune_sort(struct pruning *p, size_t place, int64_t now)
{
    struct prune_part *part = &p->parts[place];
    struct prune_place *to = &p->result->places[place];
    imagine(p, place, now);
    inventory_sort(&part->inventory);
    size_t n = part->inventory.n;
    part->entries = mem_calloc(n, sizeof *part->entries);
    to->items = mem_calloc(n, sizeof *to->items);
    to->n_items = n;
    for (size_t i = 0; i < n; i++) {
        const struct inventory_snapshot *from = &part->inventory.snapshots[i];
        to->items[i] = (struct prune_item){
            .name = str_dup(from->name),
            .modified = from->modified,
            .bytes = from->bytes,
            .reason = RETENTION_OTHER, /* until it is decided */
        };
        part->entries[i] = (struct retention_entry){
            .name = from->name,
            .kind = from->kind,
            .modified = from->modified,
            .known_good = is_known_good(p, place, from),
        };
    }
}

bool prune_concerns(const struct pruning *p, const struct retention_entry *entry)
{
    if (!p->names)
        return retention_concerns(&p->options->rule, entry);
    return prune_is_named(p, entry);
}

bool prune_is_named(const struct pruning *p, const struct retention_entry *entry)
{
    struct retention_entry copy = {.name = entry->name};
    retention_select((const char *const *)p->names, p->options->n_names, &copy, 1);
    return retention_removes(&copy);
}

/* Items get what was decided of their entries. */
static void take_reasons(struct prune_place *place, const struct prune_part *part)
{
    for (size_t i = 0; i < place->n_items; i++) {
        place->items[i].reason = part->entries[i].reason;
        place->items[i].status = retention_removes(&part->entries[i]) ? PRUNE_PLANNED : PRUNE_KEPT;
        place->n_foreign += part->entries[i].reason == RETENTION_FOREIGN;
    }
    place->listed = true;
}

static int fail_unproven(const struct prune_place *place, struct sc_err *err)
{
    for (size_t i = 0; i < place->n_items; i++)
        if (place->items[i].reason == RETENTION_UNPROVEN) {
            err_set(err, ERR_CORRUPT, "not one of the snapshots there is good, so none is removed");
            return err_hint(err, "take a new one; snapctl verify --all tells what is wrong with each, and "
                                 "snapctl delete NAME removes it all the same");
        }
    return 0;
}

int prune_decide(struct pruning *p, size_t place, int64_t now, retention_proof *prove, void *arg,
                 struct sc_err *err)
{
    struct prune_part *part = &p->parts[place];
    struct prune_place *to = &p->result->places[place];
    int result = 0;
    part->err = err;
    if (p->names)
        retention_select((const char *const *)p->names, p->options->n_names, part->entries, to->n_items);
    else
        result = retention_decide(&p->options->rule, now, part->entries, to->n_items, prove, arg);
    take_reasons(to, part);
    return result < 0 ? -1 : fail_unproven(to, err);
}

int prune_note_proof(struct pruning *p, size_t place, size_t index, const struct ctx *ctx, int result,
                     struct sc_err *why)
{
    struct prune_item *item = &p->result->places[place].items[index];
    if (result == 0) {
        item->proof = PRUNE_GOOD;
        return 1;
    }
    if (why->kind != ERR_CORRUPT) {
        err_move(p->parts[place].err, why);
        err_wrap(p->parts[place].err, "%s could not be read, so nothing is removed there", item->name);
        return -1;
    }
    ctx_log(ctx, LOG_WARN, "%s is damaged: %s", item->name, why->text);
    item->proof = PRUNE_DAMAGED;
    err_move(&item->err, why);
    return 0;
}

int prune_settle(struct prune_place *place, struct sc_err *err)
{
    size_t failed = 0;
    const struct prune_item *first = NULL;
    for (size_t i = 0; i < place->n_items; i++)
        if (place->items[i].status == PRUNE_FAILED && !failed++)
            first = &place->items[i];
    if (!first)
        return 0;
    if (failed == 1)
        err_set(err, first->err.kind, "%s was not removed: %s", first->name, first->err.text);
    else
        err_set(err, first->err.kind, "%zu snapshots were not removed; %s: %s", failed, first->name,
                first->err.text);
    return first->err.hint ? err_hint(err, "%s", first->err.hint) : -1;
}
