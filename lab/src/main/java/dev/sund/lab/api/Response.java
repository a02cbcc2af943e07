package dev.sund.lab.api;

import dev.sund.kube.tree.JsonText;
import dev.sund.kube.tree.Tree;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Writes one HTTP answer to a connection: whole, or as a stream of chunks. */
final class Response {
  private final OutputStream out;

  Response(OutputStream out) {
    this.out = out;
  }

  void whole(int code, Tree tree) throws IOException {
    whole(code, "application/json", JsonText.of(tree).getBytes(StandardCharsets.UTF_8));
  }

  void whole(int code, String type, byte[] body) throws IOException {
    head(code, type, "Content-Length: " + body.length);
    out.write(body);
    out.flush();
  }

  void beginStream() throws IOException {
    head(200, "application/json", "Transfer-Encoding: chunked");
    out.flush();
  }

  void chunk(byte[]... parts) throws IOException {
    int length = 0;
    for (byte[] part : parts) {
      length += part.length;
    }
    ascii(Integer.toHexString(length) + "\r\n");
    for (byte[] part : parts) {
      out.write(part);
    }
    ascii("\r\n");
  }

  void flush() throws IOException {
    out.flush();
  }

  void endStream() throws IOException {
    ascii("0\r\n\r\n");
    out.flush();
  }

  private void head(int code, String type, String length) throws IOException {
    ascii(
        String.format(
            Locale.ROOT,
            "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n%s\r\n\r\n",
            code,
            code < 300 ? "OK" : "Refused",
            type,
            length));
  }

  private void ascii(String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.US_ASCII));
  }
}
