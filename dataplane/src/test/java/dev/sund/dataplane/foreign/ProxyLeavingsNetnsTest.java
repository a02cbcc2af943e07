package dev.sund.dataplane.foreign;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.testing.TestPod;
import dev.sund.dataplane.testing.Testbed;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Action;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.kernel.NetNs;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * From kube-proxy's rules, in the shape of its modes, to Sund's and back, with a connection of each
 * that goes on.
 */
@Tag("netns")
class ProxyLeavingsNetnsTest {
  private static final String SERVICE = "10.96.0.10";
  private static final int PORT = 8080;
  private static final int PATIENCE_MILLIS = 30_000;
  private static final RuleId RULE = RuleId.of("Service", "shop/web", "uid");

  @TempDir private Path folder;
  private final Testbed bed = Testbed.of(1, IpPool.VxlanMode.CROSS_SUBNET);
  private TestPod web;
  private TestPod client;
  private NetNs node;
  private ServerSocket server;

  @BeforeEach
  void pods() throws Exception {
    web = bed.pod(1, "web");
    client = bed.pod(1, "client");
    node = bed.node(1).ns();
    server = web.ns().call(() -> new ServerSocket(PORT));
    server.setSoTimeout(PATIENCE_MILLIS);
  }

  @AfterEach
  void close() throws Exception {
    server.close();
    bed.close();
  }

  /** A connection's two ends. */
  private record Talk(Socket client, Socket server) implements AutoCloseable {
    void goesOn() throws IOException {
      client.getOutputStream().write(1);
      assertThat(server.getInputStream().read()).isEqualTo(1);
      server.getOutputStream().write(2);
      assertThat(client.getInputStream().read()).isEqualTo(2);
    }

    @Override
    public void close() throws IOException {
      client.close();
      server.close();
    }
  }

  @Test
  void rulesOfModeNftables() throws Exception {
    takeOverAndBack(
        () -> {
          Path file = folder.resolve("proxy.nft");
          Files.writeString(file, nftables(web.ip(Family.V4)));
          Testbed.run(node, "nft", "-f", file.toString());
        },
        List.of("table ip kube-proxy (mode nftables)", "table ip6 kube-proxy (mode nftables)"));
  }

  @Test
  void rulesOfModeIptablesInNfTables() throws Exception {
    takeOverAndBack(
        () -> restore("nft"),
        List.of(
            "5 chains of iptables-nft ip filter (mode iptables)",
            "7 chains of iptables-nft ip nat (mode iptables)",
            "1 chains of iptables-nft ip mangle (mode iptables)",
            "5 chains of iptables-nft ip6 filter (mode iptables)"));
    kubeletsRulesStand("nft");
  }

  @Test
  void rulesOfModeIptablesOfTheOlderKind() throws Exception {
    takeOverAndBack(
        () -> restore("legacy"),
        List.of(
            "5 chains of iptables-legacy filter (mode iptables)",
            "7 chains of iptables-legacy nat (mode iptables)",
            "1 chains of iptables-legacy mangle (mode iptables)",
            "5 chains of ip6tables-legacy filter (mode iptables)"));
    kubeletsRulesStand("legacy");
  }

  @Test
  void whereKubeProxyNeverWasNothingIsFound() throws Exception {
    Testbed.run(node, "iptables-nft", "-t", "nat", "-N", "KUBE-KUBELET-CANARY");

    assertThat(ProxyLeavings.find(node)).isEmpty();
    assertThat(ProxyLeavings.condition(ProxyLeavings.find(node))).isEmpty();
    assertThat(ProxyLeavings.remove(node, false).done()).isEmpty();
  }

  private interface Act {
    void run() throws Exception;
  }

  private void takeOverAndBack(Act kubeProxy, List<String> found) throws Exception {
    kubeProxy.run();
    try (Talk old = talk()) {
      old.goesOn();
      assertThat(ProxyLeavings.find(node)).map(Object::toString).containsExactlyElementsOf(found);
      assertThat(ProxyLeavings.condition(ProxyLeavings.find(node)).orElseThrow().toString())
          .contains(found.getFirst(), "[kube-proxy-rules]");

      serve(true);
      List<String> dry = ProxyLeavings.remove(node, true).done();
      assertThat(ProxyLeavings.find(node)).hasSameSizeAs(found);
      assertThat(ProxyLeavings.remove(node, false).failed()).isEmpty();
      assertThat(dry).hasSameSizeAs(found);
      assertThat(ProxyLeavings.find(node)).isEmpty();
      old.goesOn();
      try (Talk ours = talk()) {
        ours.goesOn();

        kubeProxy.run();
        serve(false);
        ours.goesOn();
        old.goesOn();
        try (Talk back = talk()) {
          back.goesOn();
        }
      }
      assertThat(ProxyLeavings.remove(node, false).failed()).isEmpty();
    }
  }

  private Talk talk() throws Exception {
    Socket socket =
        client
            .ns()
            .call(() -> {
              Socket made = new Socket();
              made.setTcpNoDelay(true); // makes the descriptor here
              return made;
            });
    socket.connect(new InetSocketAddress(InetAddress.ofLiteral(SERVICE), 80), PATIENCE_MILLIS);
    Socket accepted = server.accept();
    socket.setSoTimeout(PATIENCE_MILLIS);
    accepted.setSoTimeout(PATIENCE_MILLIS);
    return new Talk(socket, accepted);
  }

  /** The Service by Sund's own rules, or not. */
  private void serve(boolean on) {
    Frontend.Key key = new Frontend.Key(new Place.At(Ip.parse(SERVICE)), Protocol.TCP, 80);
    Frontend frontend = new Frontend(key, new Action.Balance(1), MasqueradeClass.KEEP_SOURCE, RULE);
    Endpoint.Key slot = new Endpoint.Key(key, 0);
    Endpoint endpoint = new Endpoint(slot, web.ip(Family.V4), PORT, Optional.empty(), RULE);
    bed.node(1)
        .dataplane()
        .want(
            new ProgramDelta(
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(
                    on
                        ? new Change.Put<>(key, frontend, Optional.empty())
                        : new Change.Remove<>(key, frontend)),
                List.of(
                    on
                        ? new Change.Put<>(slot, endpoint, Optional.empty())
                        : new Change.Remove<>(slot, endpoint))));
    assertThat(bed.node(1).settle().failed()).isEmpty();
  }

  private void kubeletsRulesStand(String kind) {
    String filter = Testbed.run(node, "iptables-" + kind, "-S");
    assertThat(filter)
        .contains("-N KUBE-FIREWALL", "-A INPUT -j KUBE-FIREWALL", "-A INPUT -p tcp")
        .doesNotContain("KUBE-SERVICES", "KUBE-FORWARD", "KUBE-PROXY");
    assertThat(Testbed.run(node, "iptables-" + kind, "-t", "nat", "-S"))
        .contains("-N MINE", "-A POSTROUTING -s 192.0.2.0/24 -j MASQUERADE")
        .doesNotContain("KUBE-S", "KUBE-POSTROUTING");
  }

  private void restore(String kind) throws IOException {
    Path four = Files.writeString(folder.resolve("four"), iptables(web.ip(Family.V4).toString()));
    Path six = Files.writeString(folder.resolve("six"), FILTER);
    Testbed.run(node, "iptables-" + kind + "-restore", "--noflush", four.toString());
    Testbed.run(node, "ip6tables-" + kind + "-restore", "--noflush", six.toString());
  }

  private static final String FILTER =
      """
      *filter
      :KUBE-EXTERNAL-SERVICES - [0:0]
      :KUBE-FIREWALL - [0:0]
      :KUBE-FORWARD - [0:0]
      :KUBE-KUBELET-CANARY - [0:0]
      :KUBE-NODEPORTS - [0:0]
      :KUBE-PROXY-CANARY - [0:0]
      :KUBE-SERVICES - [0:0]
      -F INPUT
      -F FORWARD
      -F OUTPUT
      -A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS
      -A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
      -A INPUT -j KUBE-FIREWALL
      -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
      -A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
      -A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
      -A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
      -A OUTPUT -j KUBE-FIREWALL
      -A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
      -A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
      -A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      COMMIT
      """;

  /**
   * As {@code iptables-save} prints what kube-proxy and a kubelet wrote, and two rules of others.
   */
  private static String iptables(String endpoint) {
    return FILTER
        + """
        *mangle
        :KUBE-PROXY-CANARY - [0:0]
        :KUBE-IPTABLES-HINT - [0:0]
        COMMIT
        *nat
        :KUBE-MARK-MASQ - [0:0]
        :KUBE-NODEPORTS - [0:0]
        :KUBE-POSTROUTING - [0:0]
        :KUBE-PROXY-CANARY - [0:0]
        :KUBE-SEP-ZP3FB6NMPNCO4VBJ - [0:0]
        :KUBE-SERVICES - [0:0]
        :KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
        :KUBE-KUBELET-CANARY - [0:0]
        :MINE - [0:0]
        -F PREROUTING
        -F OUTPUT
        -F POSTROUTING
        -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
        -A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
        -A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
        -A POSTROUTING -s 192.0.2.0/24 -j MASQUERADE
        -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
        -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
        -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
        -A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
        -A KUBE-SEP-ZP3FB6NMPNCO4VBJ -s ENDPOINT/32 -m comment --comment "shop/web" -j KUBE-MARK-MASQ
        -A KUBE-SEP-ZP3FB6NMPNCO4VBJ -p tcp -m comment --comment "shop/web" -m tcp -j DNAT --to-destination ENDPOINT:8080
        -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "shop/web cluster IP" -m tcp --dport 80 -j KUBE-SVC-NPX46M4PTMTKRN6Y
        -A KUBE-SERVICES -m comment --comment "kubernetes service nodeports" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
        -A KUBE-SVC-NPX46M4PTMTKRN6Y -m comment --comment "shop/web -> ENDPOINT:8080" -j KUBE-SEP-ZP3FB6NMPNCO4VBJ
        COMMIT
        """
            .replace("ENDPOINT", endpoint);
  }

  /** The shape of mode nftables: verdict maps to chains for each Service and each endpoint. */
  private static String nftables(Ip endpoint) {
    return """
    table ip kube-proxy { }
    delete table ip kube-proxy
    table ip6 kube-proxy { }
    delete table ip6 kube-proxy
    table ip6 kube-proxy { comment "rules for kube-proxy"; }
    table ip kube-proxy {
      comment "rules for kube-proxy"
      map service-ips {
        type ipv4_addr . inet_proto . inet_service : verdict
        elements = { 10.96.0.10 . tcp . 80 : goto service-ABC-shop/web/tcp/ }
      }
      chain endpoint-DEF-shop/web/tcp/__x/8080 {
        ip saddr ENDPOINT jump mark-for-masquerade
        meta l4proto tcp dnat to ENDPOINT:8080
      }
      chain service-ABC-shop/web/tcp/ {
        numgen random mod 1 vmap { 0 : goto endpoint-DEF-shop/web/tcp/__x/8080 }
      }
      chain mark-for-masquerade { meta mark set meta mark or 0x4000; }
      chain masquerading {
        meta mark and 0x4000 == 0 return
        masquerade fully-random
      }
      chain services { ip daddr . meta l4proto . th dport vmap @service-ips; }
      chain nat-prerouting { type nat hook prerouting priority dstnat; jump services; }
      chain nat-output { type nat hook output priority -100; jump services; }
      chain nat-postrouting { type nat hook postrouting priority srcnat; jump masquerading; }
    }
    """
        .replace("ENDPOINT", endpoint.toString());
  }
}
