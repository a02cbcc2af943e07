package dev.sund.doctor.dns;

import java.io.ByteArrayOutputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Questions and answers as they are on the wire (RFC 1035, section 4). */
final class DnsMessage {
  private static final int HEADER = 12;
  private static final int RESPONSE = 0x8000;
  private static final int TRUNCATED = 0x200;
  private static final int RECURSION_DESIRED = 0x100;
  private static final int LONGEST_LABEL = 63;
  private static final int CLASS_IN = 1;

  private DnsMessage() {}

  /**
   * What a server said.
   *
   * @param id of the question
   * @param code 0 for no error, 3 for no such name (RFC 1035, 4.1.1)
   * @param truncated whether there is more than fits a datagram
   * @param answers how many records
   */
  record Said(int id, int code, boolean truncated, int answers) {}

  /**
   * A question that asks the server to ask others.
   *
   * @param name with or without a dot at its end
   * @throws IllegalArgumentException when a label is empty or longer than 63 bytes
   */
  static byte[] question(int id, String name, int type) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    number(out, id);
    number(out, RECURSION_DESIRED);
    number(out, 1);
    number(out, 0);
    number(out, 0);
    number(out, 0);
    String bare = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    for (String label : bare.split("\\.", -1)) {
      byte[] bytes = label.getBytes(StandardCharsets.UTF_8);
      if (bytes.length == 0 || bytes.length > LONGEST_LABEL) {
        throw new IllegalArgumentException("'" + name + "' is no name that DNS knows");
      }
      out.write(bytes.length);
      out.writeBytes(bytes);
    }
    out.write(0);
    number(out, type);
    number(out, CLASS_IN);
    return out.toByteArray();
  }

  /** An answer's header; nothing for what is none. */
  static Optional<Said> said(ByteBuffer message) {
    if (message.remaining() < HEADER) {
      return Optional.empty();
    }
    try {
      int id = message.getShort() & 0xffff;
      int flags = message.getShort() & 0xffff;
      message.getShort(); // questions
      int answers = message.getShort() & 0xffff;
      return (flags & RESPONSE) == 0
          ? Optional.empty()
          : Optional.of(new Said(id, flags & 0xf, (flags & TRUNCATED) != 0, answers));
    } catch (BufferUnderflowException _) {
      return Optional.empty();
    }
  }

  private static void number(ByteArrayOutputStream out, int value) {
    out.write(value >>> 8);
    out.write(value);
  }
}
