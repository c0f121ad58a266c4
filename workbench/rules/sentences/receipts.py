"""What receipts refuses or says; see the package."""

from django.utils.translation import gettext_noop as _

SENTENCES = (
    _("{day} is no day; write it as 2026-03-31."),
    _("Open orders need all of it: the alert closes when it is used, returned or written off."),
    _("Something is counted as a by-product that the line does not give."),
    _("{item} is tracked by lot: name the lot of what came out."),
    _("{item} is tracked by serial number: name each by-product with its own."),
    _("{quantity} of {item} cannot have come."),
    _("{quantity} of {item} less are said to have come, {possible} did."),
    _("Add pieces with serial numbers one by one."),
    _("Line {line} of {order} takes {most} on this receipt."),
    _("Line {line} of {receipt} uses no such component."),
    _("Say how much more, or less, it was."),
    _("Say why it is corrected."),
    _("Serial number {code} came on this line already."),
    _("That is what was counted."),
    _("{item} is tracked: name the lot, or serial number, of the pieces."),
    _("{quantity} more of {item} are said to be used, {there} lie at the vendor for {order} line {line}."),
    _("{quantity} of {item} less are said to be used, {possible} were."),
    _("{quantity} of these pieces came back mended; reverse the receipt instead."),
    _("{quantity} of these pieces went back to the vendor; no fewer can have been accepted."),
    _("A count cannot lie in the future."),
    _("A receipt cannot lie in the future."),
    _("A return cannot lie in the future."),
    _("A write-off needs a quantity above zero."),
    _("It lies at several of his places: name the one that was counted."),
    _("This vendor has no such place."),
    _("This vendor has no place where material of ours could lie."),
    _("With {counted} then, less than nothing would lie there now: {left} left since; at least {least} were there."),
    _("{item} is tracked: name the lot that was counted."),
    _("{there} of {item} lie at {place}; {quantity} are to be written off."),
    _("Line {line} of {receipt} waits for certificates, not for inspection: {which}. Hand them in, or waive them."),
    _("Line {line} of {receipt} waits for {what_}."),
    _("Lot {lot} has {quantity} pieces."),
    _("No pieces of lot {lot} came on this line."),
    _("Nothing of line {line} of {receipt} waits for inspection."),
    _("Pieces without a serial number cannot be used; correct the receipt."),
    _("Say of at least one piece what was found."),
    _("Say of which lot the rejected pieces are: {lots}."),
    _("Say what becomes of the rejected pieces."),
    _("Say why it may pass."),
    _("These certificates are there already."),
    _("{item} is tracked by lot, and none came in."),
    _("{order} is {status_}: pieces sent back could not come again. Reopen it first."),
    _("{possible} pieces wait to be inspected, {said} were said."),
    _("{open} rejected pieces are undecided, {said} were said."),
    _(
        "{quantity} of it lie at {places} for {orders}: no less can be loaded. Where less is there, enter it as a "
        "count of the vendor's stock."
    ),
    _("Line {line} of {order} leaves nothing uncovered any more."),
    _("Say why nothing replaces them."),
    _(
        "{pieces} pieces are to be made anew, but {left} are left of the step before. Plan more of {order}, or do "
        "without them."
    ),
    _("Count at least one piece, good or bad."),
    _(
        "Line {line} of {order} takes {possible} more ({ordered} ordered, {received} received, {pct} % over "
        "allowed); {counted} were counted."
    ),
    _("Of {accepted} good pieces from 1 to all can be inspected, not {asked}; to inspect none, let somebody waive it."),
    _("{order} is {status_}; only a sent order receives goods."),
    _("{receipt} came in before its order was loaded here; return what came too much instead."),
    _("{number} is here already, with other content; it is gone on with here, not loaded again."),
    _("{item} is tracked: load the vendor's stock of it with its lots."),
    _(
        "{most} of {item} should lie at {place} for {order}: {there} do. Load the vendor's stock, or put right what "
        "was sent."
    ),
    _("It was ordered on {day}, after today, {today}."),
    _("Material for {sent} was sent, but {received} came back."),
    _("Name the operation of {order}, or say that the order is bought complete (bought_complete)."),
    _("Name the production order and its operation, or the item."),
    _("Say when the pieces are needed."),
    _("What is bought complete is a production order, without an operation."),
    _("You have no right to load orders of this site."),
    _("{invoiced} invoiced are more than the {ordered} ordered."),
    _("{order} has no operation {operation}."),
    _("{order} makes {item}."),
    _("{bad} rejected and scrapped are more than the {received} received."),
    _("{order} has another {column} in an earlier row."),
    _("Leave lot {lot} out: pieces between two operations have none."),
    _("Leave lot {lot} out: {item} is not tracked by it."),
    _("Leave the serial numbers out: pieces between two operations have none."),
    _("Leave the serial numbers out: {item} is not tracked by it."),
    _("Serial number {codes} of {item} is in use already."),
    _("{item} is tracked by lot: name the lot of the pieces that came."),
    _("{item} is tracked by serial number: name {n} different ones, {named} were named."),
    _("{quantity} pieces were to be mended, {there} of them lie at the vendor."),
    _("Each good piece has one serial number."),
    _("{receipt} is {status_}, not in quarantine."),
    _("{receipt}, note {note}, lies in quarantine: {said_}"),
    _("A receipt needs at least one line."),
    _("Each order line is counted once on a note."),
    _("Goods of note {note} lie in quarantine as {receipt}; release or reverse it."),
    _("Name the vendor's delivery note."),
    _(
        "Note {note} was counted already as {receipt}, with other content. Correct that receipt, or mark this one as "
        "a supplement to it."
    ),
    _("The vendor's note cannot be dated after today, {today}."),
    _("Name what comes back, or leave the lines out for all that is not needed."),
    _("Nothing of ours lies there that is not needed."),
    _("Nothing of {order} lies at {vendor} that is not needed."),
    _("Pieces go to the vendor with {document}: he says what he lacks by a count."),
    _("Pieces of {document} came back already; reverse that receipt first."),
    _(
        "{document} has not left the vendor: what did not come lies there still. Bring home what came by a return of "
        "its own."
    ),
    _("{document} is {status_}; only a draft is dispatched."),
    _("{document} is {status_}; only a draft, or what is on its way, is received."),
    _("{document} is {status_}; only a return that left is reversed."),
    _("{quantity} of {item} are to come back; {there} lie there unneeded."),
    _("{quantity} of {item} of lot {lot} are to come back; {there} lie there unneeded."),
    _(
        "{quantity} of {item} came, {sent} left with {document}: no more can have. Bring the rest home by a return "
        "of its own."
    ),
    _("{quantity} of {item} were to come back, {possible} can be spared there now."),
    _("Pieces of {receipt} went back to the vendor with {document}; reverse it first."),
    _("{order} is {status_}; reopen it, then the pieces can be expected again."),
    _("{quantity} of {item} are to go back; {receipt} brought {possible} that still can."),
    _("{receipt} was reversed; there is nothing to send back."),
    _("Several items have a lot {lot}: name the item."),
    _("{item} is no component of the line; it uses {items}."),
    _("{item} is no component of the line."),
    _("This line counts what is used {how_}: {used}, not {quantity}. Adjust the consumption afterwards."),
    _("{quantity} of {item} cannot have been used."),
    _(
        "{need} of {item} would be used, {there} lie at the vendor for {order} line {line}, enough for {pieces} of "
        "the {all} pieces. Ship the rest, or ask for what was used."
    ),
    _(
        "{need} of {item} would be used, {there} lie at the vendor for {order} line {line}. Ship the rest, or ask "
        "for what was used."
    ),
    _(
        "With {counted} then, less than nothing would have lain there since, as so much was used or left: "
        "at least {least} were there."
    ),
    _("Pieces of {item} after {stages} lie at {place}: name the stage that is meant."),
    _("No pieces of {item} after {stage} ever lay at {place}."),
    _("Operation {last} of {order} does not follow {first} step by step."),
    _("{quantity} at {price} cost more than a line can; at most {most}."),
    _(
        "{possible} more of {item} may arrive for {order} line {line} ({required} required, {arrived} arrived, "
        "{there} free there, {over} % over allowed); {quantity} were to be booked. "
        "Order more, or load the rest as stock at {place}."
    ),
    _(
        "Only {there} of {item} still lie at {place} for the line, {quantity} came with {delivery}. Reverse first what used them."
    ),
    _("Note {note} was booked already as {delivery}, with other content. Reverse that one, or name another note."),
    _("{done} have arrived already; at least so much was ordered."),
    _("Nothing more of {item} is wanted for {order} line {line}."),
    _("Nothing has arrived after today, {today}."),
    _("Name the delivery note it came with."),
    _("Name the purchase order it was ordered with."),
    _("{item} is tracked by lot: name those that came."),
    _("{item} is tracked by serial number: name those that came."),
    _("{item} is tracked by serial number: each is one piece."),
    _("{quantity} came, the lots named hold {total}."),
    _("Name each lot once."),
    _("Leave the lots out: {item} is not tracked by them."),
    _("Nothing of {item} is on order for {order} line {line}."),
    _("A unit costs from 0 on, all of it at most {most}."),
    _("There is no such delivery."),
    _("No third party delivers this for the line."),
    _("{number} is {status_}: nothing more is wanted for it."),
    _("Line {line} of {number} is {status_}: nothing more is wanted."),
    _(
        "{number} is {status_}: nothing arrives for an order that is not with its vendor. Load what lies "
        "there as stock."
    ),
    _("{order} was made on {made}, after {day}."),
    _("{quantity} received of {ordered} ordered are too many: {most} can be ({percent} % over allowed)."),
    _(
        "Material for {quantity} sent of {ordered} ordered is too much: for {most} it can be ({percent} % over "
        "allowed). Load the rest as stock at the vendor."
    ),
)
