package dev.sund.bench.services;

import dev.sund.bench.traffic.Connecting;
import dev.sund.bench.traffic.Programs;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.io.IOException;

/**
 * A client, a node that forwards, and a server behind it, for connections whose time is measured.
 * Namespaces whose names begin with {@code conn-}, which end with the benchmark's process.
 */
final class ConnectPath implements AutoCloseable {
  /** Where the server is; the client is a pod of the cluster as well. */
  static final Ip SERVER = Ip.parse("11.99.2.5");

  private static final int PORT = 8080;

  private final NetNs client;
  private final NetNs node;
  private final NetSocket server;

  private ConnectPath(NetNs client, NetNs node, NetSocket server) {
    this.client = client;
    this.node = node;
    this.server = server;
  }

  /** Makes one; the node forwards and tracks connections, and does nothing else. */
  static ConnectPath make(String name) throws IOException, KernelException {
    String node = "conn-" + name;
    for (String each : new String[] {node, node + "-c", node + "-s"}) {
      Programs.run("ip netns add " + each);
      Programs.run("ip -n " + each + " link set lo up");
    }
    end(node, node + "-c", "11.98.1");
    end(node, node + "-s", "11.99.2");
    Programs.run("ip netns exec " + node + " sysctl -qw net.ipv4.ip_forward=1");
    // A rule that asks for the state makes the kernel track connections, as with any Service.
    Programs.run("ip netns exec " + node + " nft add table inet track");
    Programs.run(
        "ip netns exec "
            + node
            + " nft add chain inet track forward { type filter hook forward priority 0 ; }");
    Programs.run(
        "ip netns exec " + node + " nft add rule inet track forward ct state invalid drop");
    NetNs serving = NetNs.named(node + "-s");
    NetSocket server =
        serving
            .call(() -> NetSocket.tcp(Family.V4))
            .bind(Endpoint.any(Family.V4, PORT))
            .listen(1024);
    return new ConnectPath(NetNs.named(node + "-c"), NetNs.named(node), server);
  }

  private static void end(String node, String pod, String net) throws IOException {
    String device = pod.substring(pod.length() - 1);
    Programs.run(
        "ip link add eth0 netns " + pod + " type veth peer name " + device + " netns " + node);
    Programs.run("ip -n " + pod + " address add " + net + ".5/24 dev eth0");
    Programs.run("ip -n " + node + " address add " + net + ".1/24 dev " + device);
    Programs.run("ip -n " + pod + " link set eth0 up");
    Programs.run("ip -n " + node + " link set " + device + " up");
    Programs.run("ip -n " + pod + " route add default via " + net + ".1");
  }

  NetNs node() {
    return node;
  }

  /** Microseconds that a connection to the server itself takes: the median of many. */
  double direct() throws KernelException {
    return Connecting.micros(client, server, new Endpoint(SERVER, PORT));
  }

  /** The same to an address that stands for the server. */
  double by(Ip address) throws KernelException {
    return Connecting.micros(client, server, new Endpoint(address, ServiceCluster.PORT));
  }

  @Override
  public void close() {
    server.close();
  }
}
