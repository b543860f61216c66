"""Commands that read values aloud: exits, registers, table entries, VMCB pages, lines of logs.

Does not model: what the values mean (`lab.decoding`, `manual`).
"""

from typing import Any, BinaryIO

import click

from avickit.commands.common import echo_json, json_option, number, paint, standard_input


@click.group(epilog="Example: avickit decode exit 0x401 0x04000000_0000082f 0x2_00000002")
def decode() -> None:
    """Read a value aloud: an exit, a register, a table entry, a VMCB, a line of a log."""


def show(data: dict[str, Any], as_json: bool) -> None:
    """A decoded value: its text in one line, its sentences, its fields."""
    if as_json:
        echo_json(data)
        return
    if "text" in data:
        click.echo(paint(f"{data['name']} = {data['text']}", "cyan", bold=True))
    for field in data.get("fields", ()):
        click.echo(f"  {field['name']:<22} {field['bits']:>12}  {field['shown']:<16} {field['meaning']}")
    for sentence in data.get("words", ()):
        click.echo(sentence)


@decode.command("exit", epilog="Example: avickit decode exit AVIC_NOACCEL 0x100000320 0")
@click.argument("code")
@click.argument("info1", type=number, default="0")
@click.argument("info2", type=number, default="0")
@click.option("--ext-lvt", is_flag=True, help="CPUID Fn8000_000A_EDX[27] is set.")
@json_option
def exit_(code: str, info1: int, info2: int, ext_lvt: bool, as_json: bool) -> None:
    """An exit: CODE, a number or a name, with EXITINFO1 and EXITINFO2."""
    from avickit.lab.decoding import exit_data

    named = code.upper().startswith(("VMEXIT", "AVIC"))
    show(exit_data(code if named else number(code), info1, info2, ext_lvt), as_json)


@decode.command(epilog="Example: avickit decode reg ICRL 0x82f; avickit decode reg ICR 0x4000000:0x82f")
@click.argument("name")
@click.argument("value")
@json_option
def reg(name: str, value: str, as_json: bool) -> None:
    """A register: an APIC register or a word of the VMCB by NAME, or ICR with a pair HIGH:LOW."""
    from avickit.lab.decoding import register_data

    parts = [number(part) for part in value.split(":")]
    for data in register_data(name, parts):
        show(data, as_json)


@decode.command(epilog="Example: avickit decode entry physical 0xc000000000008001")
@click.argument("table", type=click.Choice(["physical", "logical"]))
@click.argument("value", type=number)
@json_option
def entry(table: str, value: int, as_json: bool) -> None:
    """An entry of the physical or the logical APIC ID table."""
    from avickit.lab.decoding import entry_data

    show(entry_data(table, value), as_json)


@decode.command(epilog="Example: avickit decode vmcb vmcb.bin")
@click.argument("file", type=click.File("rb"))
@click.option("--all", "everything", is_flag=True, help="Print words that are 0, too.")
@json_option
def vmcb(file: BinaryIO, everything: bool, as_json: bool) -> None:
    """A VMCB page: FILE is 4096 bytes of memory, - for standard input."""
    from avickit.lab.decoding import vmcb_data

    data = vmcb_data(file.read(), everything)
    if as_json:
        echo_json(data)
        return
    for word in data["words"]:
        click.echo(f"{word['offset']:03X}h {word['name']:<26} {word['text']}")
    for sentence in data["exit"]:
        click.echo(sentence)


@decode.command(epilog='Example: avickit decode line "Invalid IPI target: index=2, vcpu=0, icr=0x4000000:0x82f"')
@click.argument("text", nargs=-1)
@json_option
def line(text: tuple[str, ...], as_json: bool) -> None:
    """A line of a log: KVM's or Xen's warning about an IPI, or a kvm_avic_* trace event.

    Without TEXT, or with -, lines come from standard input; those that say nothing of AVIC are passed over.
    """
    from avickit.lab.decoding import line_data

    typed = " ".join(text)
    many = typed in ("", "-")
    found = line_data(standard_input() if many else typed, many=many)
    if as_json:
        echo_json(found)
        return
    for data in found:
        show({"words": data["words"]}, False)
