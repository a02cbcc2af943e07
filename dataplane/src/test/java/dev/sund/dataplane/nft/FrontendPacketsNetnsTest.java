package dev.sund.dataplane.nft;

import static dev.sund.dataplane.nft.Rows.bridged;
import static dev.sund.dataplane.nft.Rows.cluster;
import static dev.sund.dataplane.nft.Rows.put;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Driver.Step;
import dev.sund.dataplane.FailPoint;
import dev.sund.engine.cluster.EndpointChoice;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Action;
import dev.sund.engine.program.Frontend.Answer;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.engine.program.Frontend.View;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.SourceRange;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.kernel.testing.NftProgram;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Real packets to frontends with every column: from pods, from the node and from outside; who
 * answers, and whom the one who answers sees.
 */
@Tag("netns")
class FrontendPacketsNetnsTest {
  private static final int PORT = 8080;
  private static final int ASKED = 80;
  private static final RuleId RULE = RuleId.of("Service", "shop/web", "uid");

  /** Nobody got it, and nobody said so. */
  private static final String NOTHING = "nothing";

  private static final String REFUSED = "refused";
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** How long an answer is waited for that is not to come. */
  private static final Duration IN_VAIN = Duration.ofMillis(150);

  private final TestNetns net = TestNetns.open();
  private final NetNs node = net.create("node");
  private final NetNs podA = net.create("pod-a");
  private final NetNs podB = net.create("pod-b");
  private final NetNs outside = net.create("outside");
  private final Map<String, NetSocket> servers = new TreeMap<>();
  private final MessageBuffer buffer = new MessageBuffer(64);
  private NftDriver driver;

  @BeforeEach
  void connect() throws Exception {
    TestNetns.link(podA, "eth0", "10.244.1.5/32", "fd00:10::105/128", node, "pod-a");
    TestNetns.link(podB, "eth0", "10.244.1.6/32", "fd00:10::106/128", node, "pod-b");
    TestNetns.link(node, "uplink", "192.0.2.1/24", "2001:db8::1/64", outside, "eth0");
    run(outside, "ip addr add 192.0.2.9/24 dev eth0");
    run(outside, "ip addr add 192.0.2.200/24 dev eth0");
    run(outside, "ip -6 addr add 2001:db8::9/64 dev eth0 nodad");
    run(outside, "ip -6 addr add 2001:db8::f00/64 dev eth0 nodad");
    for (String pod : List.of("pod-a", "pod-b")) {
      NetNs end = pod.equals("pod-a") ? podA : podB;
      run(node, "ip addr add 169.254.1.1/32 dev " + pod);
      run(node, "ip -6 addr add fe80::1/64 dev " + pod + " nodad");
      run(end, "ip route add 169.254.1.1 dev eth0 scope link");
      run(end, "ip route add default via 169.254.1.1");
      run(end, "ip -6 route add default via fe80::1 dev eth0");
    }
    run(node, "ip route add 10.244.1.5 dev pod-a");
    run(node, "ip route add 10.244.1.6 dev pod-b");
    run(node, "ip -6 route add fd00:10::105 dev pod-a");
    run(node, "ip -6 route add fd00:10::106 dev pod-b");
    run(node, "ip route add default via 192.0.2.9");
    run(node, "ip -6 route add default via 2001:db8::9");
    run(node, "ip link set lo up");
    run(outside, "ip route add default via 192.0.2.1");
    run(outside, "ip -6 route add default via 2001:db8::1");
    run(node, "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
    for (Family family : Family.values()) {
      servers.put("a " + family, listener(podA, family));
      servers.put("b " + family, listener(podB, family));
    }
    driver = newDriver();
    driver.want(put(cluster("10.244.0.0/16", "four"), cluster("fd00:10::/56", "six")));
  }

  @AfterEach
  void close() {
    servers.values().forEach(NetSocket::close);
    driver.close();
    net.close();
  }

  @ParameterizedTest(name = "S6, {0}")
  @EnumSource(Family.class)
  void whoAsksFromOutsideGetsAnotherAnswer(Family family) throws Exception {
    Frontend.Key key = at(vip(family));
    want(
        new Frontend(
            key,
            new Answer(new Action.Balance(1), MasqueradeClass.FROM_NODE),
            new Answer(new Action.Balance(1), MasqueradeClass.KEEP_SOURCE),
            false,
            false,
            Optional.empty(),
            EndpointChoice.RANDOM,
            RULE),
        endpoint(key, View.INSIDE, 0, "b"),
        endpoint(key, View.OUTSIDE, 0, "a"));

    assertThat(ask(outside, vip(family))).isEqualTo("a sees " + outsider(family));
    assertThat(ask(podA, vip(family))).isEqualTo("b sees " + pod(family, "a"));
    assertThat(ask(node, vip(family))).isEqualTo("b sees " + nodeAddress(family));
    assertThat(ask(podB, vip(family))).as("S9").isEqualTo("b sees " + nodeAddress(family));
  }

  @ParameterizedTest(name = "S6, {0}")
  @EnumSource(Family.class)
  void whoIsOnABridgeOfTheNodeAsksFromInside(Family family) throws Exception {
    Frontend.Key key = at(vip(family));
    want(
        new Frontend(
            key,
            new Answer(new Action.Balance(1), MasqueradeClass.FROM_NODE),
            new Answer(new Action.Balance(1), MasqueradeClass.KEEP_SOURCE),
            false,
            false,
            Optional.empty(),
            EndpointChoice.RANDOM,
            RULE),
        endpoint(key, View.INSIDE, 0, "b"),
        endpoint(key, View.OUTSIDE, 0, "a"));
    assertThat(ask(outside, vip(family))).isEqualTo("a sees " + outsider(family));

    driver.want(put(bridged("192.0.2.8/29", "net"), bridged("2001:db8::8/125", "net")));
    apply();
    assertThat(ask(outside, vip(family))).startsWith("b sees ");
  }

  @ParameterizedTest(name = "S2, {0}")
  @EnumSource(Family.class)
  void nobodyHereAnswersThoseOutsideAndPodsAreServed(Family family) throws Exception {
    Frontend.Key key = at(vip(family));
    want(
        new Frontend(
            key,
            new Answer(new Action.Balance(1), MasqueradeClass.FROM_NODE),
            new Answer(new Action.Drop(), MasqueradeClass.KEEP_SOURCE),
            false,
            false,
            Optional.empty(),
            EndpointChoice.RANDOM,
            RULE),
        endpoint(key, View.INSIDE, 0, "b"));

    assertThat(askInVain(outside, vip(family))).isEqualTo(NOTHING);
    assertThat(ask(podA, vip(family))).isEqualTo("b sees " + pod(family, "a"));
  }

  @ParameterizedTest(name = "S7, S8, {0}")
  @EnumSource(Family.class)
  void theClassSaysWhoseSourceIsHidden(Family family) throws Exception {
    Ip node = nodeAddress(family);
    for (MasqueradeClass masquerade : MasqueradeClass.values()) {
      Frontend.Key key = at(vip(family));
      Answer answer = new Answer(new Action.Balance(1), masquerade);
      want(frontend(key, answer), endpoint(key, View.INSIDE, 0, "a"));

      List<String> seen =
          List.of(ask(outside, vip(family)), ask(podB, vip(family)), ask(this.node, vip(family)));
      Ip outsider = outsider(family);
      Ip other = pod(family, "b");
      assertThat(seen)
          .as(masquerade.name())
          .isEqualTo(
              switch (masquerade) {
                case KEEP_SOURCE -> sees("a", outsider, other, node);
                case ALWAYS -> sees("a", node, node, node);
                case FROM_OUTSIDE -> sees("a", node, other, node);
                case FROM_NODE -> sees("a", outsider, other, node);
              });
    }
  }

  @ParameterizedTest(name = "S13, {0}")
  @EnumSource(Family.class)
  void onlySourcesInTheRangesMayAsk(Family family) throws Exception {
    boolean v4 = family == Family.V4;
    Frontend.Key key = at(vip(family));
    Answer answer = new Answer(new Action.Balance(1), MasqueradeClass.KEEP_SOURCE);
    Frontend limited =
        new Frontend(
            key, answer, answer, true, false, Optional.empty(), EndpointChoice.RANDOM, RULE);
    want(limited, endpoint(key, View.INSIDE, 0, "a"));
    assertThat(askInVain(outside, vip(family))).isEqualTo(NOTHING);

    allow(key, v4 ? "192.0.2.0/25" : "2001:db8::/120");
    allow(key, v4 ? "203.0.113.0/24" : "2001:db8:1::/64");
    assertThat(ask(outside, vip(family))).isEqualTo("a sees " + outsider(family));
    Ip another = Ip.parse(v4 ? "192.0.2.200" : "2001:db8::f00");
    assertThat(askFrom(outside, another, 0, vip(family), IN_VAIN)).isEqualTo(NOTHING);
    assertThat(askInVain(podB, vip(family))).isEqualTo(NOTHING);

    allow(key, v4 ? "0.0.0.0/0" : "::/0");
    assertThat(ask(podB, vip(family))).isEqualTo("a sees " + pod(family, "b"));
    listsAndVerifies();
  }

  @ParameterizedTest(name = "S14, {0}")
  @EnumSource(Family.class)
  void nodePortsAnswerAtTheNodesAddressesAndNotAtItsLoopback(Family family) throws Exception {
    Frontend.Key key = new Frontend.Key(new Place.AnyLocal(family), Protocol.UDP, ASKED);
    Answer answer = new Answer(new Action.Balance(1), MasqueradeClass.ALWAYS);
    want(frontend(key, answer), endpoint(key, View.INSIDE, 0, "a"));

    assertThat(ask(outside, nodeAddress(family))).isEqualTo("a sees " + nodeAddress(family));
    assertThat(ask(node, nodeAddress(family))).isEqualTo("a sees " + nodeAddress(family));
    assertThat(ask(node, Ip.parse(family == Family.V4 ? "127.0.0.1" : "::1"))).isEqualTo(REFUSED);
  }

  @ParameterizedTest(name = "S12, {0}")
  @EnumSource(Family.class)
  void clientsKeepTheirEndpointUntilItIsGoneOrTheirTimeIsUp(Family family) throws Exception {
    Frontend.Key key = at(vip(family));
    Frontend sticky = sticky(key, Duration.ofSeconds(100));
    want(sticky, endpoint(key, View.INSIDE, 0, "a"), endpoint(key, View.INSIDE, 1, "b"));
    Set<String> answers = askOften(outside, vip(family), 20);
    assertThat(answers).hasSize(1);

    // A restarted agent changes nothing, and clients stay where they were.
    driver.close();
    NftDriver again = newDriver();
    again.want(put(cluster("10.244.0.0/16", "four"), cluster("fd00:10::/56", "six")));
    again.want(
        delta(sticky, endpoint(key, View.INSIDE, 0, "a"), endpoint(key, View.INSIDE, 1, "b")));
    driver = again;
    apply();
    assertThat(driver.counts().messages()).isZero();
    assertThat(askOften(outside, vip(family), 10)).isEqualTo(answers);

    // Nor does a table that is made anew.
    try (NftSocket someone = NftSocket.open(node)) {
      someone
          .commit(List.of(new NftOp.CreateChain(NftChain.regular(MasqueradeLowering.TABLE, "x"))))
          .orThrow();
    }
    driver.resync();
    apply();
    assertThat(driver.counts().rebuilds()).isEqualTo(1);
    assertThat(askOften(outside, vip(family), 10)).isEqualTo(answers);

    // The endpoint goes: the other one serves, and is kept in turn when it is back.
    String gone = answers.iterator().next().substring(0, 1);
    String left = gone.equals("a") ? "b" : "a";
    Frontend one = sticky(key, Duration.ofSeconds(100), 1);
    Endpoint last = endpoint(key, View.INSIDE, 1, "b");
    driver.want(
        new ProgramDelta(
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(new Change.Put<>(key, one, Optional.of(sticky))),
            List.of(
                new Change.Put<>(
                    new Endpoint.Key(key, 0),
                    endpoint(key, View.INSIDE, 0, left),
                    Optional.empty()),
                new Change.Remove<>(last.key(), last))));
    apply();
    assertThat(driver.pending()).isZero();
    run(node, "conntrack -F"); // a port that is used again belongs to its old connection
    assertThat(askOften(outside, vip(family), 5)).allMatch(seen -> seen.startsWith(left));
    want(sticky, endpoint(key, View.INSIDE, 0, "a"), endpoint(key, View.INSIDE, 1, "b"));
    assertThat(askOften(outside, vip(family), 5)).allMatch(seen -> seen.startsWith(left));

    want(sticky(key, Duration.ofSeconds(1)));
    askOften(outside, vip(family), 1);
    listsAndVerifies();
    run(node, "nft flush map inet sund clients-" + family.label());
    Thread.sleep(1100);
    assertThat(askOften(outside, vip(family), 1)).isNotEmpty();
    want(frontend(key, sticky.inside()));
    assertThat(askOften(outside, vip(family), 40)).as("switched off").hasSize(2);
    assertThat(new NftProgram(node).ruleset()).doesNotContain("affinity-v4-", "affinity-v6-");
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void byClientASocketIsLedToTheSameEndpointByEveryTable(Family family) throws Exception {
    Answer answer = new Answer(new Action.Balance(2), MasqueradeClass.KEEP_SOURCE);
    List<List<String>> rounds = new ArrayList<>();
    for (String address : List.of("1", "2")) {
      Ip vip = Ip.parse((family == Family.V4 ? "10.96.0." : "fd00:96::") + address);
      Frontend.Key key = at(vip);
      Frontend frontend =
          new Frontend(
              key, answer, answer, false, false, Optional.empty(), EndpointChoice.BY_CLIENT, RULE);
      want(frontend, endpoint(key, View.INSIDE, 0, "a"), endpoint(key, View.INSIDE, 1, "b"));
      List<String> seen = new ArrayList<>();
      for (int port = 20_000; port < 20_030; port++) {
        seen.add(askFrom(outside, outsider(family), port, vip));
      }
      rounds.add(seen);
      run(node, "nft flush ruleset");
      driver.resync();
    }
    assertThat(rounds.getFirst()).isEqualTo(rounds.getLast());
    assertThat(new TreeSet<>(rounds.getFirst())).hasSize(2);
  }

  @Test
  void nftListsTheTableWithEverythingInIt() throws Exception {
    for (Family family : Family.values()) {
      boolean v4 = family == Family.V4;
      int port = 100;
      for (Place place : List.of(new Place.At(vip(family)), new Place.AnyLocal(family))) {
        for (EndpointChoice choice : EndpointChoice.values()) {
          Frontend.Key key = new Frontend.Key(place, Protocol.TCP, port++);
          Frontend row =
              new Frontend(
                  key,
                  new Answer(new Action.Balance(1), MasqueradeClass.FROM_NODE),
                  new Answer(new Action.Balance(1), MasqueradeClass.KEEP_SOURCE),
                  true,
                  false,
                  Optional.of(Duration.ofHours(3)),
                  choice,
                  RULE);
          want(row, endpoint(key, View.INSIDE, 0, "a"), endpoint(key, View.OUTSIDE, 0, "b"));
          allow(key, v4 ? "192.0.2.0/25" : "2001:db8::/120");
          allow(key, v4 ? "192.0.2.1/32" : "2001:db8::1/128");
        }
      }
    }
    listsAndVerifies();
    String listed = new NftProgram(node).ruleset();
    assertThat(listed)
        .contains("lb-node-v6-1-from-node-split-limited-no-loopback-sticky-by-client")
        .contains("update @clients-v4 { ip saddr . ct original ip daddr . ")
        .contains("timeout 3h")
        .contains("@allowed-v4-25 return");
    assertThat(new NftProgram(node).run("-j", "list", "ruleset")).contains("answers-outside");
  }

  // The bench.

  private void listsAndVerifies() throws Exception {
    assertThat(new NftProgram(node).ruleset()).contains("table inet sund");
    assertThat(driver.verify()).isEmpty();
    driver.resync();
    assertThat(driver.pending()).isZero();
  }

  private NftDriver newDriver() throws Exception {
    NftDriver made = new NftDriver(NftPort.over(NftSocket.open(node)), FailPoint.NONE);
    made.resync();
    made.allowSweep();
    return made;
  }

  private static List<String> sees(String endpoint, Ip... sources) {
    return List.of(sources).stream().map(source -> endpoint + " sees " + source).toList();
  }

  private Set<String> askOften(NetNs from, Ip to, int times) throws Exception {
    Set<String> answers = new TreeSet<>();
    for (int i = 0; i < times; i++) {
      answers.add(ask(from, to));
    }
    return answers;
  }

  private String ask(NetNs from, Ip to) throws Exception {
    return askFrom(from, own(from, to), 0, to);
  }

  /** As {@link #ask}, of what nobody is to get. */
  private String askInVain(NetNs from, Ip to) throws Exception {
    return askFrom(from, own(from, to), 0, to, IN_VAIN);
  }

  private Ip own(NetNs from, Ip to) {
    return from == outside ? outsider(to.family()) : Ip.any(to.family());
  }

  private String askFrom(NetNs from, Ip source, int port, Ip to) throws Exception {
    return askFrom(from, source, port, to, PATIENCE);
  }

  /** One datagram from a new socket; who got it and from whom, and that the answer came back. */
  private String askFrom(NetNs from, Ip source, int port, Ip to, Duration patience)
      throws Exception {
    try (NetSocket client = from.call(() -> NetSocket.udp(to.family()))) {
      client.bind(new dev.sund.kernel.socket.Endpoint(source, port));
      client.tryConnect(new dev.sund.kernel.socket.Endpoint(to, ASKED));
      buffer.data().putInt(0, 0x53756e64);
      buffer.send(client, 32);
      long end = System.nanoTime() + patience.toNanos();
      while (System.nanoTime() < end) {
        if (client.pendingError() != 0) {
          return REFUSED;
        }
        for (Map.Entry<String, NetSocket> server : servers.entrySet()) {
          if (server.getKey().endsWith(to.family().toString())
              && buffer.receive(server.getValue()) >= 0) {
            dev.sund.kernel.socket.Endpoint seen = buffer.from().orElseThrow();
            buffer.sendTo(server.getValue(), 16, seen);
            while (buffer.receive(client) < 0) {
              assertThat(System.nanoTime()).as("the answer comes back").isLessThan(end);
            }
            return server.getKey().substring(0, 1) + " sees " + seen.ip();
          }
        }
      }
      return NOTHING;
    }
  }

  private void allow(Frontend.Key key, String range) {
    SourceRange row = new SourceRange(new SourceRange.Key(key, Prefix.parse(range)), RULE);
    driver.want(
        new ProgramDelta(
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(new Change.Put<>(row.key(), row, Optional.empty()))));
    apply();
  }

  private void want(Frontend frontend, Endpoint... endpoints) {
    driver.want(delta(frontend, endpoints));
    apply();
    assertThat(driver.pending()).isZero();
  }

  private static ProgramDelta delta(Frontend frontend, Endpoint... endpoints) {
    List<Change<Endpoint.Key, Endpoint>> changes = new ArrayList<>();
    for (Endpoint endpoint : endpoints) {
      changes.add(new Change.Put<>(endpoint.key(), endpoint, Optional.empty()));
    }
    return new ProgramDelta(
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.<Change<Masquerade.Key, Masquerade>>of(),
        List.of(new Change.Put<>(frontend.key(), frontend, Optional.empty())),
        changes);
  }

  private void apply() {
    ApplyReport report = driver.apply(Step.PUT, 1000).plus(driver.apply(Step.REMOVE, 1000));
    assertThat(report.failed()).isEmpty();
  }

  private static Frontend.Key at(Ip address) {
    return new Frontend.Key(new Place.At(address), Protocol.UDP, ASKED);
  }

  private static Frontend frontend(Frontend.Key key, Answer answer) {
    return new Frontend(
        key, answer, answer, false, false, Optional.empty(), EndpointChoice.RANDOM, RULE);
  }

  private static Frontend sticky(Frontend.Key key, Duration time) {
    return sticky(key, time, 2);
  }

  private static Frontend sticky(Frontend.Key key, Duration time, int endpoints) {
    Answer answer = new Answer(new Action.Balance(endpoints), MasqueradeClass.KEEP_SOURCE);
    return new Frontend(
        key, answer, answer, false, false, Optional.of(time), EndpointChoice.RANDOM, RULE);
  }

  private static Endpoint endpoint(Frontend.Key key, View view, int slot, String pod) {
    Family family = key.place().family();
    return new Endpoint(
        new Endpoint.Key(key, view, slot),
        pod(family, pod),
        PORT,
        Optional.of(nodeAddress(family)),
        RuleId.of("Pod", "shop/" + pod, "uid-" + pod));
  }

  private static Ip vip(Family family) {
    return Ip.parse(family == Family.V4 ? "10.96.0.1" : "fd00:96::1");
  }

  private static Ip pod(Family family, String pod) {
    return Ip.parse(
        (family == Family.V4 ? "10.244.1." : "fd00:10::10") + (pod.equals("a") ? 5 : 6));
  }

  private static Ip nodeAddress(Family family) {
    return Ip.parse(family == Family.V4 ? "192.0.2.1" : "2001:db8::1");
  }

  private static Ip outsider(Family family) {
    return Ip.parse(family == Family.V4 ? "192.0.2.9" : "2001:db8::9");
  }

  private static NetSocket listener(NetNs namespace, Family family) throws Exception {
    return namespace
        .call(() -> NetSocket.udp(family))
        .bind(dev.sund.kernel.socket.Endpoint.any(family, PORT));
  }

  private static void run(NetNs namespace, String command) {
    TestNetns.run(namespace, command.split(" "));
  }
}
