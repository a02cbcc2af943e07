package dev.sund.kernel.nft;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.netlink.NlReader;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The attributes of one expression by type; types up to 15 are enough for all that we know. */
final class ExprAttributes {
  private static final int MAX = 16;
  private final byte[][] values = new byte[MAX][];
  private final boolean[] present = new boolean[MAX];

  ExprAttributes(NlReader in) throws KernelException, NotKnownException {
    while (in.next()) {
      if (in.type() >= MAX) {
        throw new NotKnownException();
      }
      values[in.type()] = in.bytes();
      present[in.type()] = true;
    }
  }

  boolean has(int type) {
    return present[type];
  }

  private NlReader at(int type, int length) throws NotKnownException {
    if (!present[type] || values[type].length < length) {
      throw new NotKnownException();
    }
    return new NlReader(values[type]);
  }

  int number(int type) throws KernelException, NotKnownException {
    return at(type, 4).takeBe32();
  }

  int number(int type, int otherwise) throws KernelException, NotKnownException {
    return present[type] ? number(type) : otherwise;
  }

  int small(int type) throws KernelException, NotKnownException {
    return at(type, 2).takeBe16();
  }

  int octet(int type) throws KernelException, NotKnownException {
    return at(type, 1).takeU8();
  }

  long big(int type) throws KernelException, NotKnownException {
    NlReader in = at(type, 8);
    return ((long) in.takeBe32() << 32) | Integer.toUnsignedLong(in.takeBe32());
  }

  int index(int type, int from, int to) throws KernelException, NotKnownException {
    int value = number(type, 0);
    if (value < from || value > to) {
      throw new NotKnownException();
    }
    return value;
  }

  boolean flag(int type) throws KernelException, NotKnownException {
    return index(type, 0, 1) == 1;
  }

  <E extends Enum<E>> E pick(int type, E[] words) throws KernelException, NotKnownException {
    int value = number(type);
    if (value < 0 || value >= words.length) {
      throw new NotKnownException();
    }
    return words[value];
  }

  Reg reg(int type) throws KernelException, NotKnownException {
    return new Reg(number(type));
  }

  Optional<Reg> optionalReg(int type) throws KernelException, NotKnownException {
    return present[type] ? Optional.of(reg(type)) : Optional.empty();
  }

  Optional<Expr.CtDirection> direction(int type) throws KernelException, NotKnownException {
    if (!present[type]) {
      return Optional.empty();
    }
    int value = octet(type);
    if (value > 1) {
      throw new NotKnownException();
    }
    return Optional.of(Expr.CtDirection.values()[value]);
  }

  String string(int type) throws KernelException, NotKnownException {
    NlReader in = at(type, 0);
    byte[] bytes = in.rest();
    int end = 0;
    while (end < bytes.length && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, 0, end, StandardCharsets.UTF_8);
  }

  /** The text of an attribute inside of this one; empty without it. */
  String nestedString(int type, int inner) throws KernelException, NotKnownException {
    NlReader in = at(type, 0);
    while (in.next()) {
      if (in.type() == inner) {
        return in.string();
      }
    }
    return "";
  }

  Data data(int type) throws KernelException, NotKnownException {
    return ExprCodec.readData(at(type, 0));
  }

  Bytes value(int type) throws KernelException, NotKnownException {
    if (data(type) instanceof Data.Value(var bytes)) {
      return bytes;
    }
    throw new NotKnownException();
  }
}
