package dev.sund.lab.api;

import java.io.IOException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * An HTTP request.
 *
 * @param method such as {@code GET}
 * @param path decoded, without query
 * @param query the decoded parameters of the query
 * @param headers names in lower case
 * @param body the whole body
 */
record Request(
    String method,
    String path,
    Map<String, String> query,
    Map<String, String> headers,
    String body) {
  private static final int MAX_LINE = 16 * 1024;
  private static final int MAX_BODY = 16 * 1024 * 1024;

  /** Reads the next request of a connection; empty when the client has closed it. */
  static Optional<Request> read(InputStream in) throws IOException {
    String first = line(in);
    if (first.isEmpty()) {
      return Optional.empty();
    }
    String[] parts = first.split(" ", -1);
    if (parts.length != 3) {
      throw new IOException("not a request line: " + first);
    }
    Map<String, String> headers = new HashMap<>();
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        headers.put(
            line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
      }
    }
    int length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
    if (length > MAX_BODY) {
      throw new IOException("a body of " + length + " bytes is too large");
    }
    String body = new String(in.readNBytes(length), StandardCharsets.UTF_8);
    int mark = parts[1].indexOf('?');
    String path = mark < 0 ? parts[1] : parts[1].substring(0, mark);
    Map<String, String> query = new HashMap<>();
    if (mark >= 0) {
      for (String pair : parts[1].substring(mark + 1).split("&", -1)) {
        int equals = pair.indexOf('=');
        String key = equals < 0 ? pair : pair.substring(0, equals);
        query.put(decoded(key), equals < 0 ? "" : decoded(pair.substring(equals + 1)));
      }
    }
    return Optional.of(
        new Request(parts[0], decoded(path.replace("+", "%2B")), query, headers, body));
  }

  /** The parameter, empty when it is absent. */
  String parameter(String name) {
    return query.getOrDefault(name, "");
  }

  boolean isTrue(String name) {
    String value = parameter(name);
    return value.equals("true") || value.equals("1");
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text, StandardCharsets.UTF_8);
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
      if (line.length() > MAX_LINE) {
        throw new IOException("a header line is too long");
      }
      line.append((char) c);
    }
    int end = line.length();
    return end > 0 && line.charAt(end - 1) == '\r' ? line.substring(0, end - 1) : line.toString();
  }
}
