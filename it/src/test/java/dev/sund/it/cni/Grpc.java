package dev.sund.it.cni;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Unary gRPC calls over a Unix socket, by hand: one HTTP/2 connection a call, header fields written
 * plainly, the answer's left unread. Enough for the few calls of CRI that these tests make.
 */
final class Grpc {
  private static final int DATA = 0;
  private static final int HEADERS = 1;
  private static final int SETTINGS = 4;
  private static final int PING = 6;
  private static final int END_STREAM = 1;
  private static final int END_HEADERS = 4;
  private static final int ACK = 1;

  private final Path socket;

  Grpc(Path socket) {
    this.socket = socket;
  }

  /** A protobuf message under construction. */
  static final class Message {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Message text(int field, String value) {
      return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    Message message(int field, Message value) {
      return bytes(field, value.out.toByteArray());
    }

    Message number(int field, long value) {
      varint((long) field << 3);
      varint(value);
      return this;
    }

    private Message bytes(int field, byte[] value) {
      varint(field << 3 | 2);
      varint(value.length);
      out.writeBytes(value);
      return this;
    }

    private void varint(long value) {
      long left = value;
      while (left > 127) {
        out.write((int) (left & 127 | 128));
        left >>>= 7;
      }
      out.write((int) left);
    }
  }

  /** The length-delimited fields of a message, by number. */
  static Map<Integer, List<byte[]>> fields(byte[] message) {
    Map<Integer, List<byte[]>> fields = new LinkedHashMap<>();
    ByteBuffer in = ByteBuffer.wrap(message);
    while (in.hasRemaining()) {
      long tag = varint(in);
      switch ((int) (tag & 7)) {
        case 0 -> varint(in);
        case 1 -> in.position(in.position() + 8);
        case 2 -> {
          byte[] value = new byte[(int) varint(in)];
          in.get(value);
          fields.computeIfAbsent((int) (tag >>> 3), _ -> new ArrayList<>()).add(value);
        }
        case 5 -> in.position(in.position() + 4);
        default -> throw new IllegalArgumentException("wire type " + (tag & 7));
      }
    }
    return fields;
  }

  private static long varint(ByteBuffer in) {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte one = in.get();
      value |= (long) (one & 127) << shift;
      if (one >= 0) {
        return value;
      }
    }
  }

  /**
   * Calls a method.
   *
   * @param method such as {@code /runtime.v1.RuntimeService/Version}
   * @throws IOException when the server answers with an error: what it is stands in its log
   */
  byte[] call(String method, Message request) throws IOException {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      out.writeBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      frame(out, SETTINGS, 0, 0, new byte[0]);
      ByteArrayOutputStream head = new ByteArrayOutputStream();
      header(head, ":method", "POST");
      header(head, ":scheme", "http");
      header(head, ":path", method);
      header(head, ":authority", "localhost");
      header(head, "content-type", "application/grpc");
      header(head, "te", "trailers");
      frame(out, HEADERS, END_HEADERS, 1, head.toByteArray());
      byte[] body = request.out.toByteArray();
      frame(
          out,
          DATA,
          END_STREAM,
          1,
          ByteBuffer.allocate(5 + body.length).put((byte) 0).putInt(body.length).put(body).array());
      channel.write(ByteBuffer.wrap(out.toByteArray()));
      byte[] data = answer(channel);
      if (data.length < 5) {
        throw new IOException(method + " was answered with an error");
      }
      return Arrays.copyOfRange(data, 5, data.length);
    }
  }

  private static byte[] answer(SocketChannel channel) throws IOException {
    DataInputStream in = new DataInputStream(Channels.newInputStream(channel));
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    while (true) {
      byte[] head = new byte[9];
      in.readFully(head);
      int length = (head[0] & 255) << 16 | (head[1] & 255) << 8 | head[2] & 255;
      byte[] payload = new byte[length];
      in.readFully(payload);
      int flags = head[4];
      switch (head[3]) {
        case DATA -> data.writeBytes(payload);
        case SETTINGS, PING -> {
          if ((flags & ACK) == 0) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            frame(out, head[3], ACK, 0, head[3] == PING ? payload : new byte[0]);
            channel.write(ByteBuffer.wrap(out.toByteArray()));
          }
        }
        case 7 -> throw new EOFException("the server ended the connection");
        default -> {
          // Windows are larger than what these calls carry; header fields are not read.
        }
      }
      if ((head[3] == DATA || head[3] == HEADERS) && (flags & END_STREAM) != 0) {
        return data.toByteArray();
      }
    }
  }

  private static void header(ByteArrayOutputStream out, String name, String value) {
    out.write(0);
    out.write(name.length());
    out.writeBytes(name.getBytes(StandardCharsets.US_ASCII));
    out.write(value.length());
    out.writeBytes(value.getBytes(StandardCharsets.US_ASCII));
  }

  private static void frame(
      ByteArrayOutputStream out, int type, int flags, int stream, byte[] payload) {
    ByteBuffer head = ByteBuffer.allocate(9);
    head.put((byte) (payload.length >> 16)).putShort((short) payload.length);
    head.put((byte) type).put((byte) flags).putInt(stream);
    out.writeBytes(head.array());
    out.writeBytes(payload);
  }
}
