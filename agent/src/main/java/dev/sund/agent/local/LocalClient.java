package dev.sund.agent.local;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Asks an agent over its local socket, as the CNI plugin does: for the lab, the {@code sund}
 * command and tests. One object serves many threads; each call is one connection.
 */
public final class LocalClient {
  private final Path socket;

  /**
   * A client.
   *
   * @param runDir the agent's run directory
   */
  public LocalClient(Path runDir) {
    this.socket = runDir.resolve(AttachServer.SOCKET_NAME);
  }

  /**
   * Sends a request and waits for its answer; the agent bounds the wait by {@link
   * AttachServer#DEADLINE}.
   *
   * @throws IOException when there is no agent, or it broke off
   */
  public Answer ask(Map<String, ?> request) throws IOException {
    return ask(Json.write(request));
  }

  /** As {@link #ask(Map)}, with the request's text, which the agent reads. */
  public Answer ask(String request) throws IOException {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      ByteBuffer out = ByteBuffer.wrap(request.getBytes(StandardCharsets.UTF_8));
      while (out.hasRemaining()) {
        channel.write(out);
      }
      channel.shutdownOutput();
      ByteArrayOutputStream all = new ByteArrayOutputStream(1024);
      ByteBuffer buffer = ByteBuffer.allocate(8192);
      while (channel.read(buffer) >= 0) {
        all.write(buffer.array(), 0, buffer.position());
        buffer.clear();
      }
      String text = all.toString(StandardCharsets.UTF_8);
      if (text.isEmpty()) {
        throw new IOException("the agent at " + socket + " broke off without an answer");
      }
      return new Answer(text.charAt(0) - '0', text.substring(1));
    }
  }

  /**
   * A CNI request as the plugin sends it.
   *
   * @param command {@code ADD}, {@code DEL} or {@code CHECK}
   * @param args {@code CNI_ARGS}
   * @param ips the pod's addresses, such as {@code 10.244.1.5/32}
   */
  public static Map<String, Object> cniRequest(
      String command,
      String containerId,
      String netns,
      String interfaceName,
      String args,
      List<String> ips) {
    return cniRequest(command, containerId, netns, interfaceName, args, ips, !ips.isEmpty());
  }

  /**
   * As {@link #cniRequest(String, String, String, String, String, List)}.
   *
   * @param given whether the asker has chosen the addresses, and nobody else does; otherwise {@code
   *     ips} is what it asks the agent for
   */
  public static Map<String, Object> cniRequest(
      String command,
      String containerId,
      String netns,
      String interfaceName,
      String args,
      List<String> ips,
      boolean given) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("cniVersion", "1.0.0");
    config.put("name", "sund");
    config.put("type", "sund");
    if (given) {
      config.put("ipam", Map.of("type", "given"));
    }
    config.put("runtimeConfig", Map.of("ips", ips));
    if (command.equals("CHECK")) {
      config.put(
          "prevResult",
          Map.of("ips", ips.stream().map(ip -> Map.of("address", withLength(ip))).toList()));
    }
    Map<String, Object> request = new LinkedHashMap<>();
    request.put("command", command);
    request.put("containerId", containerId);
    request.put("netns", netns);
    request.put("ifname", interfaceName);
    request.put("args", args);
    request.put("path", "/opt/cni/bin");
    request.put("config", config);
    return request;
  }

  private static String withLength(String ip) {
    return ip.contains("/") ? ip : ip + (ip.contains(":") ? "/128" : "/32");
  }
}
