"""Lifecycles as text: the table that `manage.py lifecycle` prints, and Mermaid diagrams."""

from __future__ import annotations

from collections.abc import Iterator

from catalogue.ground.lifecycle import rules
from catalogue.ground.lifecycle.moves import Move, all_moves, lifecycles
from catalogue.ground.models import Thing


def fields(model: type[Thing]) -> list[str]:
    """The state fields of `model`, in the order of its moves."""
    return list(dict.fromkeys(m.field for m in all_moves(model)))


def table() -> Iterator[str]:
    """Every lifecycle with its moves: who makes them, what they start, who may refuse."""
    for model in sorted(lifecycles(), key=lambda m: m._meta.label_lower):
        for field in fields(model):
            yield f"{model._meta.label_lower}.{field}"
            for move in all_moves(model):
                if move.field == field:
                    yield from _lines(move)
            yield ""


def _lines(move: Move) -> Iterator[str]:
    sources = ", ".join(s or "none" for s in move.sources)
    targets = ", ".join(t or "none" for t in move.targets)
    yield f"  {move.name}: {sources} → {targets}"
    reason = ", with a reason" if move.spec.reason else ""
    yield f"      “{move.spec.label}”, needs: {move.spec.by}{reason}"
    attached = rules.rule_of(move)
    for word, names in (
        ("starts", attached.start),
        ("may refuse", attached.refuse),
        ("brings about", attached.then),
        ("foretells", attached.foresee),
    ):
        if names:
            yield f"      {word}: {', '.join(names)}"


def mermaid(model: type[Thing], field: str) -> str:
    """A state diagram of one lifecycle, as a Mermaid block."""
    declared = model._meta.get_field(field)
    words = dict(getattr(declared, "flatchoices", ()))
    lines = ["stateDiagram-v2"]
    for state, word in words.items():
        lines.append(f"    {_node(str(state))} : {word}")
    default = str(getattr(model(), field))
    lines.append(f"    [*] --> {_node(default)}")
    for move in all_moves(model):
        if move.field != field:
            continue
        sources = list(words) if "*" in move.sources else move.sources
        lines += [
            f"    {_node(str(source))} --> {_node(target)} : {move.spec.label}"
            for source in sources
            for target in move.targets
        ]
    return "```mermaid\n" + "\n".join(lines) + "\n```"


def _node(state: str) -> str:
    return state or "none"


def begin(model: type[Thing], field: str) -> str:
    """The comment that stands before a generated diagram in a README."""
    return f"<!-- lifecycle: {model._meta.label_lower}.{field} -->"


END = "<!-- end of lifecycle -->"


def renewed(text: str) -> str:
    """`text` of a README with every generated diagram in it made anew."""
    for model in lifecycles():
        for field in fields(model):
            head = begin(model, field)
            if head in text:
                before, rest = text.split(head, 1)
                _, after = rest.split(END, 1)
                text = f"{before}{head}\n{mermaid(model, field)}\n{END}{after}"
    return text
