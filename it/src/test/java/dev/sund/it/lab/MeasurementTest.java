package dev.sund.it.lab;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.trace.Packet.FromNode;
import dev.sund.engine.trace.Packet.FromOutside;
import dev.sund.engine.trace.Packet.Origin;
import dev.sund.engine.trace.Trace;
import dev.sund.engine.trace.Trace.Carriage;
import dev.sund.engine.trace.Trace.Outer;
import dev.sund.kernel.Fd;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.lab.measure.Measurement;
import dev.sund.lab.measure.Site;
import dev.sund.lab.question.Answer;
import dev.sund.lab.question.Answer.Larger;
import dev.sund.lab.question.Answer.Mtu;
import dev.sund.lab.question.Answer.Reach;
import dev.sund.lab.question.Answer.Reached;
import dev.sund.lab.question.Party;
import dev.sund.lab.question.Question;
import dev.sund.lab.scene.Scene;
import dev.sund.lab.scene.SceneReader;
import dev.sund.lab.topology.Topology;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Port;
import dev.sund.model.Protocol;
import java.io.BufferedReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Three nodes on two subnets without any agent: what probes tell of the underlay alone. */
@Tag("netns")
class MeasurementTest {
  private static final int VXLAN_PORT = 4789;

  private Scene scene;
  private Topology topology;
  private Measurement measurement;
  private int nextQuestion;

  @BeforeEach
  void build() throws Exception {
    scene = SceneReader.read(ManifestFiles.parse("none", ""), OptionalInt.of(3));
    topology = Topology.build("sundt-" + ProcessHandle.current().pid() + "-", scene.underlay());
    measurement = Measurement.open(VXLAN_PORT);
    for (Scene.SceneNode node : scene.nodes()) {
      String name = node.name().text();
      measurement.enter(
          new Site(
              new FromNode(node.name()),
              name,
              topology.machine(name),
              node.node().addresses(),
              List.of(new Port(80, Protocol.TCP, "")),
              true));
      measurement.watch(name, topology.machine(Scene.ROUTER), topology.port(name));
    }
    measurement.enter(
        new Site(
            new FromOutside(Scene.OUTSIDE),
            Scene.OUTSIDE,
            topology.machine(Scene.OUTSIDE),
            scene.addresses(Scene.OUTSIDE),
            List.of(),
            false));
    for (var host : scene.underlay().hosts()) {
      for (Ip ip : scene.addresses(host.name())) {
        measurement.name(ip, host.name());
      }
    }
  }

  @AfterEach
  void remove() {
    if (measurement != null) {
      measurement.close();
    }
    if (topology != null) {
      topology.close();
    }
    assertThat(Fd.openDescriptors()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void openPortAnswersClosedPortRefusesAndUnusedAddressIsSilent(Family family) throws Exception {
    Party n1 = node("n1");
    Party n2 = node("n2");
    Ip there = address("n2", family);
    List<Answer> answers =
        measurement.ask(
            List.of(
                reach(n1, n2, there, Protocol.TCP, 80),
                reach(n1, n2, there, Protocol.UDP, 80),
                reach(n1, n2, there, Protocol.TCP, 81),
                reach(n1, n2, there, Protocol.UDP, 81),
                reach(n1, n2, there.plus(77), Protocol.TCP, 80)));

    Optional<Ip> source = Optional.of(address("n1", family));
    assertThat(answers.get(0)).isEqualTo(new Reached(Reach.YES, source, "answered"));
    assertThat(answers.get(1)).isEqualTo(new Reached(Reach.YES, source, "answered"));
    assertThat(answers.get(2)).isEqualTo(new Reached(Reach.REFUSED, Optional.empty(), "refused"));
    assertThat(answers.get(3)).isEqualTo(new Reached(Reach.REFUSED, Optional.empty(), "refused"));
    assertThat(answers.get(4)).matches(answer -> ((Reached) answer).reach() == Reach.NO);
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void pathNamesTheMachinesInOrder(Family family) throws Exception {
    List<Answer> answers =
        measurement.ask(
            List.of(
                path(node("n1"), node("n3"), address("n3", family)),
                path(node("n1"), node("n2"), address("n2", family)),
                path(node("n1"), node("n1"), address("n1", family)),
                path(outside(), node("n2"), address("n2", family))));

    // Nodes are on the two subnets in turn.
    assertThat(answers.stream().map(Object::toString))
        .containsExactly("n1 > n3", "n1 > router > n2", "n1", "outside > router > n2");
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void wrappedPacketShowsItsOuterHeader(Family family) throws Exception {
    Ip here = address("n1", Family.V4);
    Ip there = address("n3", Family.V4);
    tunnel("n1", here, there, 1);
    tunnel("n3", there, here, 2);
    Ip inner = Ip.parse(family == Family.V4 ? "10.9.0.2" : "fd00:9::2");
    enter("n3", inner);

    Answer answer = measurement.ask(List.of(path(node("n1"), node("n3"), inner))).getFirst();

    assertThat(answer).hasToString("n1 >vxlan> n3");
    assertThat(answer)
        .isEqualTo(
            new Answer.Path(
                List.of(
                    new Trace.Step(
                        "n1", Carriage.VXLAN, Optional.of(new Outer(here, there, 77, VXLAN_PORT))),
                    new Trace.Step("n3", Carriage.LOCAL, Optional.empty()))));
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void mtuIsFoundToTheByteWhetherTheSenderIsToldOrNot(Family family) throws Exception {
    assertThat(mtu("n1", "n2", family, 1500)).isEqualTo(new Mtu(1500, Larger.TOLD));
    assertThat(mtu("n1", "n2", family, 1337)).isEqualTo(new Mtu(1500, Larger.TOLD));

    topology.setMtu("n2", 1400);
    assertThat(mtu("n1", "n2", family, 1400)).isEqualTo(new Mtu(1400, Larger.SILENT));
    assertThat(mtu("n2", "n1", family, 1400)).isEqualTo(new Mtu(1400, Larger.TOLD));
  }

  @Test
  void tcpStillCarriesMuchOverALinkThatTakesLessThanItsNeighbours() throws Exception {
    topology.setMtu("n2", 1400);
    Ip there = address("n2", Family.V4);
    Process server =
        new ProcessBuilder(
                "ip",
                "netns",
                "exec",
                topology.machine("n2").toString(),
                "iperf3",
                "-s",
                "-1",
                "--forceflush")
            .redirectErrorStream(true)
            .start();
    try (BufferedReader heard = server.inputReader()) {
      String said = "";
      while (said != null && !said.contains("listening")) {
        said = heard.readLine();
      }
      assertThat(said).as("it listens").isNotNull();
      run(
          "ip",
          "netns",
          "exec",
          topology.machine("n1").toString(),
          "iperf3",
          "-c",
          there.toString(),
          "-t",
          "1");
    } finally {
      server.destroy();
      server.waitFor();
    }
  }

  @Test
  void cutLinkIsSilentUntilItIsBack() throws Exception {
    Question question =
        reach(node("n1"), node("n2"), address("n2", Family.V4), Protocol.UDP, Site.ECHO);
    topology.setUplink("n2", false);
    assertThat(((Reached) measurement.ask(List.of(question)).getFirst()).reach())
        .isEqualTo(Reach.NO);
    topology.setUplink("n2", true);
    assertThat(((Reached) measurement.ask(List.of(question)).getFirst()).reach())
        .isEqualTo(Reach.YES);
  }

  private Mtu mtu(String from, String to, Family family, int first) throws Exception {
    Question question =
        new Question(
            nextQuestion++,
            Question.Kind.MTU,
            node(from),
            node(to),
            address(to, family),
            Protocol.UDP,
            Site.ECHO,
            List.of(first, first + 1));
    return (Mtu) measurement.ask(List.of(question)).getFirst();
  }

  private void tunnel(String node, Ip local, Ip remote, int host) throws Exception {
    String namespace = topology.machine(node).toString();
    run(
        ("ip -n %s link add vx type vxlan id 77 dstport 4789 local %s remote %s dev eth0")
            .formatted(namespace, local, remote)
            .split(" "));
    run("ip -n %s link set vx up".formatted(namespace).split(" "));
    run("ip -n %s addr add 10.9.0.%d/24 dev vx".formatted(namespace, host).split(" "));
    run("ip -n %s addr add fd00:9::%d/64 dev vx nodad".formatted(namespace, host).split(" "));
  }

  private void enter(String node, Ip inner) throws Exception {
    List<Ip> addresses = new ArrayList<>(scene.addresses(node));
    addresses.add(inner);
    measurement.enter(
        new Site(
            new FromNode(new NodeName(node)),
            node,
            topology.machine(node),
            addresses,
            List.of(),
            true));
  }

  private Question reach(Party from, Party to, Ip destination, Protocol protocol, int port) {
    return new Question(
        nextQuestion++, Question.Kind.REACH, from, to, destination, protocol, port, List.of());
  }

  private Question path(Party from, Party to, Ip destination) {
    return new Question(
        nextQuestion++,
        Question.Kind.PATH,
        from,
        to,
        destination,
        Protocol.UDP,
        Site.ECHO,
        List.of());
  }

  private static Party node(String name) {
    return party(name, new FromNode(new NodeName(name)));
  }

  private static Party outside() {
    return party(Scene.OUTSIDE, new FromOutside(Scene.OUTSIDE));
  }

  private static Party party(String name, Origin origin) {
    return new Party(name, name, origin, name);
  }

  private Ip address(String machine, Family family) {
    return scene.addresses(machine).stream()
        .filter(ip -> ip.family() == family)
        .findFirst()
        .orElseThrow();
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
  }
}
