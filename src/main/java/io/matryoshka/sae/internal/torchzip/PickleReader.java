package io.matryoshka.sae.internal.torchzip;

import io.matryoshka.sae.internal.torchzip.PickleValue.Dictionary;
import io.matryoshka.sae.internal.torchzip.PickleValue.Mark;
import io.matryoshka.sae.internal.torchzip.PickleValue.Name;
import io.matryoshka.sae.internal.torchzip.PickleValue.Other;
import io.matryoshka.sae.internal.torchzip.PickleValue.Sequence;
import io.matryoshka.sae.internal.torchzip.PickleValue.Text;
import io.matryoshka.sae.internal.torchzip.PickleValue.Whole;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Reads one pickle of protocol 2 to 5, with the opcodes that {@code torch.save} writes. */
final class PickleReader {

  /** The largest pickle that is read, in bytes; one of an SAE has about 1 kB. */
  static final int MAX_BYTES = 1 << 20;

  /** The most values that a pickle may build. */
  static final int MAX_OBJECTS = 100_000;

  private static final int MIN_PROTOCOL = 2;
  private static final int MAX_PROTOCOL = 5;
  private static final int MAX_NAME_BYTES = 256;

  private final String source;
  private final ByteBuffer bytes;
  private final PickleStack stack;

  private PickleReader(String source, byte[] pickle) {
    this.source = source;
    this.bytes = ByteBuffer.wrap(pickle).order(ByteOrder.LITTLE_ENDIAN);
    this.stack = new PickleStack();
  }

  /**
   * Reads a pickle.
   *
   * @param source the name for messages
   * @param pickle its bytes
   * @return the value that it builds
   * @throws TorchZipException if it is malformed, or uses what is not read
   */
  static PickleValue read(String source, byte[] pickle) throws TorchZipException {
    return new PickleReader(source, pickle).read();
  }

  private PickleValue read() throws TorchZipException {
    int at = 0;
    try {
      requireProtocol();
      while (true) {
        at = bytes.position();
        int opcode = bytes.get() & 0xff;
        if (opcode == '.') {
          return stack.result();
        }
        step(opcode);
      }
    } catch (BufferUnderflowException e) {
      throw new TorchZipException(source + ": the pickle ends within its opcode at byte " + at, e);
    } catch (PickleStack.Fault e) {
      throw new TorchZipException(
          source + ": malformed pickle at byte " + at + ": " + e.getMessage(), e);
    }
  }

  private void requireProtocol() throws TorchZipException {
    int opcode = bytes.get() & 0xff;
    int protocol = opcode == 0x80 ? bytes.get() & 0xff : 0;
    if (protocol < MIN_PROTOCOL || protocol > MAX_PROTOCOL) {
      throw new TorchZipException(
          source
              + ": the pickle must be of protocol 2 to 5, got "
              + (opcode == 0x80 ? "protocol " + protocol : "another start"));
    }
  }

  /** Takes one opcode; their values are those of Python's pickletools. */
  private void step(int opcode) throws TorchZipException, PickleStack.Fault {
    switch (opcode) {
      case '(' -> stack.push(Mark.MARK);
      case ')' -> stack.push(new Sequence(List.of(), true));
      case 't' -> stack.pushTuple(stack.popToMark());
      case 0x85 -> stack.pushTuple(stack.pop(1));
      case 0x86 -> stack.pushTuple(stack.pop(2));
      case 0x87 -> stack.pushTuple(stack.pop(3));
      case ']' -> stack.push(Sequence.list());
      case 'a' -> stack.append(stack.pop(1));
      case 'e' -> stack.append(stack.popToMark());
      case '}' -> stack.push(Dictionary.empty());
      case 's' -> stack.setItems(stack.pop(2));
      case 'u' -> stack.setItems(stack.popToMark());
      case 'q' -> stack.remember(bytes.get() & 0xff);
      case 'r' -> stack.remember(bytes.getInt());
      case 0x94 -> stack.remember();
      case 'h' -> stack.recall(bytes.get() & 0xff);
      case 'j' -> stack.recall(bytes.getInt());
      case 'X' -> stack.push(new Text(text(bytes.getInt() & 0xffffffffL)));
      case 0x8c -> stack.push(new Text(text(bytes.get() & 0xff)));
      case 'K' -> stack.push(new Whole(bytes.get() & 0xff));
      case 'M' -> stack.push(new Whole(bytes.getShort() & 0xffff));
      case 'J' -> stack.push(new Whole(bytes.getInt()));
      case 0x8a -> stack.push(new Whole(integer(bytes.get() & 0xff)));
      case 'G' -> {
        bytes.getDouble();
        stack.push(Other.FLOAT);
      }
      case 'N' -> stack.push(Other.NONE);
      case 0x88 -> stack.push(Other.TRUE);
      case 0x89 -> stack.push(Other.FALSE);
      case 0x95 -> bytes.getLong(); // a frame is a hint for reading ahead
      case 'c' -> stack.push(global(line(), line()));
      case 0x93 -> stack.push(global(stack.pop(2)));
      case 'Q' -> stack.push(PickleBuilder.storage(stack.pop(1).get(0)));
      case 'R' -> stack.push(PickleBuilder.call(stack.pop(2)));
      case 'b' -> PickleBuilder.requireAttributes(stack.pop(1).get(0), stack.top());
      default ->
          throw new TorchZipException(
              "%s: the pickle uses opcode 0x%02x%s at byte %d, which no file of plain tensors needs;%s"
                  .formatted(source, opcode, character(opcode), bytes.position() - 1, advice()));
    }
  }

  private static String character(int opcode) {
    return opcode > ' ' && opcode < 0x7f ? " ('" + (char) opcode + "')" : "";
  }

  private static String advice() {
    return " it is not read. Save the state_dict alone: torch.save(model.state_dict(), path)";
  }

  private Name global(List<PickleValue> names) throws TorchZipException, PickleStack.Fault {
    if (!(names.get(0) instanceof Text module) || !(names.get(1) instanceof Text name)) {
      throw new PickleStack.Fault("a name of Python must be two texts");
    }
    return global(module.value(), name.value());
  }

  private Name global(String module, String name) throws TorchZipException {
    return PickleGlobal.find(module, name)
        .map(Name::new)
        .orElseThrow(
            () ->
                new TorchZipException(
                    source
                        + ": the pickle asks for "
                        + printable(module + "." + name)
                        + ", which is neither a tensor nor a dictionary of tensors;"
                        + advice()));
  }

  private static String printable(String name) {
    String shown = name.length() > 80 ? name.substring(0, 80) + "…" : name;
    return shown.replaceAll("[^\\p{Graph} ]", "?");
  }

  private String line() throws PickleStack.Fault {
    int begin = bytes.position();
    int length = 0;
    while (bytes.get() != '\n') {
      if (++length > MAX_NAME_BYTES) {
        throw new PickleStack.Fault("a name of more than " + MAX_NAME_BYTES + " bytes");
      }
    }
    bytes.position(begin);
    String line = text(length);
    bytes.get();
    return line;
  }

  private String text(long length) throws PickleStack.Fault {
    if (length > bytes.remaining()) {
      throw new PickleStack.Fault("a text of " + length + " bytes, but the pickle ends before");
    }
    ByteBuffer part = bytes.slice(bytes.position(), (int) length);
    bytes.position(bytes.position() + (int) length);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(part).toString();
    } catch (CharacterCodingException e) {
      throw new PickleStack.Fault("a text that is not UTF-8");
    }
  }

  /** A little-endian integer in two's complement. */
  private long integer(int length) throws PickleStack.Fault {
    if (length > Long.BYTES) {
      throw new PickleStack.Fault("an integer of " + length + " bytes, at most 8 are read");
    }
    long value = 0;
    for (int i = 0; i < length; i++) {
      value |= (bytes.get() & 0xffL) << Byte.SIZE * i;
    }
    int unused = Long.SIZE - Byte.SIZE * length;
    return length == 0 ? 0 : value << unused >> unused;
  }
}
