package dev.sund.doctor.live;

import dev.sund.doctor.LineText;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * What kube-proxy answers on its two ports: 10249 (metricsBindAddress) tells its mode, 10256
 * (healthzBindAddress) whether it is well.
 */
final class ProxyFacts {
  private static final int METRICS_PORT = 10249;
  private static final int HEALTH_PORT = 10256;
  private static final int MILLIS = 500;
  private static final int MOST_BYTES = 4_096;

  private ProxyFacts() {}

  static String of(NetNs node) throws KernelException {
    LineText text = new LineText();
    ask(node, METRICS_PORT, "proxyMode", text);
    ask(node, HEALTH_PORT, "healthz", text);
    return text.toString();
  }

  private static void ask(NetNs node, int port, String path, LineText text) throws KernelException {
    text.word("asked", path).word("port", port);
    try (Socket socket = node.call(() -> connected(port))) {
      socket.setSoTimeout(MILLIS);
      socket
          .getOutputStream()
          .write(
              ("GET /" + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      String answer =
          new String(socket.getInputStream().readNBytes(MOST_BYTES), StandardCharsets.ISO_8859_1);
      String[] first = answer.split("\\s+", 3);
      text.word("status", first.length > 1 ? first[1] : "0");
      int body = answer.indexOf("\r\n\r\n");
      if (path.equals("proxyMode") && body > 0) {
        text.word("mode", answer.substring(body).strip());
      }
    } catch (KernelException e) {
      throw e;
    } catch (IOException e) {
      text.word("failed", String.valueOf(e.getMessage()));
    }
    text.end();
  }

  private static Socket connected(int port) throws IOException {
    Socket socket = new Socket();
    try {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), MILLIS);
      return socket;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }
}
