package dev.sund.kube.api;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;

/** The body of an HTTP/1.1 answer: chunked, of a given length, or until the server closes. */
final class BodyStream extends InputStream {
  private final InputStream in;
  private final boolean chunked;
  private final boolean endless;
  private final Runnable atEnd;
  private final Runnable atFault;
  private long left;
  private boolean firstChunk = true;
  private boolean ended;

  /**
   * A body that begins at the next byte of {@code in}.
   *
   * @param length negative when the server does not say it
   * @param atEnd called once when the body has been read to its end
   * @param atFault called when it cannot be read to its end
   */
  BodyStream(InputStream in, boolean chunked, long length, Runnable atEnd, Runnable atFault) {
    this.in = in;
    this.chunked = chunked;
    this.atEnd = atEnd;
    this.atFault = atFault;
    endless = !chunked && length < 0;
    left = chunked ? 0 : endless ? Long.MAX_VALUE : length;
    if (!chunked && length == 0) {
      end();
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 255;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    try {
      return readSome(bytes, offset, length);
    } catch (IOException e) {
      atFault.run();
      throw e;
    }
  }

  private int readSome(byte[] bytes, int offset, int length) throws IOException {
    if (!ended && chunked && left == 0) {
      nextChunk();
    }
    if (ended) {
      return -1;
    }
    int count = in.read(bytes, offset, (int) Math.min(length, left));
    if (count < 0 && endless) {
      end();
      return -1;
    }
    if (count < 0) {
      throw new EOFException("the server closed the connection in the middle of its answer");
    }
    if (!endless) {
      left -= count;
    }
    if (left == 0 && !chunked) {
      end();
    }
    return count;
  }

  private void nextChunk() throws IOException {
    if (!firstChunk && !ApiConnection.line(in).isEmpty()) {
      throw new IOException("a chunk of the answer is longer than the server said");
    }
    firstChunk = false;
    String line = ApiConnection.line(in);
    int semicolon = line.indexOf(';');
    String digits = (semicolon < 0 ? line : line.substring(0, semicolon)).strip();
    if (!digits.matches("[0-9a-fA-F]{1,12}")) {
      throw new IOException("a chunk of the answer has no length");
    }
    left = Long.parseLong(digits, 16);
    if (left == 0) {
      String trailer = ApiConnection.line(in);
      while (!trailer.isEmpty()) { // trailers say nothing that counts here
        trailer = ApiConnection.line(in);
      }
      end();
    }
  }

  private void end() {
    ended = true;
    atEnd.run();
  }
}
