package dev.sund.it.doctor;

import static dev.sund.it.doctor.WholeMachine.ask;
import static dev.sund.it.doctor.WholeMachine.finding;
import static dev.sund.it.doctor.WholeMachine.look;
import static dev.sund.it.doctor.WholeMachine.mend;
import static dev.sund.it.doctor.WholeMachine.read;
import static dev.sund.it.doctor.WholeMachine.run;
import static dev.sund.it.doctor.WholeMachine.write;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.doctor.Finding;
import dev.sund.doctor.Severity;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Settings and counters that the whole machine has once, made wrong in the guest's kernel and set
 * right, where a finding says how, by what it says.
 */
@Tag("guest")
class DoctorMachineGuestTest {
  private static final String MAX = "net/netfilter/nf_conntrack_max";
  private static final String BUCKETS = "net/netfilter/nf_conntrack_buckets";
  private static final String REMEMBERED = "net/netfilter/nf_conntrack_tcp_timeout_established";
  private static final String WAITING = "net/core/somaxconn";

  /** What was set before. */
  private final Map<String, String> before = new TreeMap<>();

  private final List<AutoCloseable> made = new ArrayList<>();

  @BeforeEach
  void onlyInTheGuest() {
    Assumptions.assumeTrue(
        Boolean.getBoolean("sund.test.guest"), "a machine's own settings: run sund test");
  }

  @AfterEach
  void asItWas() throws Exception {
    for (Map.Entry<String, String> entry : before.entrySet()) {
      write(entry.getKey(), entry.getValue());
    }
    for (AutoCloseable one : made.reversed()) {
      one.close();
    }
  }

  @Test
  void aTableOfConnectionsOfTheWrongSizeIsFoundAndMendedAsTheFindingsSay() throws Exception {
    track();
    set(MAX, "1024");
    Finding small = finding("conntrack-size", () -> {});
    assertThat(small.text()).contains("is small for this machine: 1,024 entries");
    mend(small);
    assertThat(Long.parseLong(read(MAX))).isGreaterThan(1_024);
    assertThat(look("conntrack-size", () -> {}).findings()).isEmpty();

    set(BUCKETS, "8192");
    Finding few = finding("conntrack-buckets", () -> {});
    assertThat(few.text()).contains("16 connections share a bucket");
    mend(few);
    assertThat(look("conntrack-buckets", () -> {}).findings()).isEmpty();
  }

  @Test
  void aTableThatFillsIsFoundWithWhoFillsItAndWithWhatIsRememberedTooLong() throws Exception {
    track();
    set(MAX, "1024");
    set(REMEMBERED, "432000");
    assertThat(finding("conntrack-growth", () -> ask("127.0.0.", 1, 1, 600)).text())
        .contains("At this rate the table of connections is full in");
    assertThat(finding("conntrack-talkers", () -> {}).object()).isEqualTo("127.0.0.1");
    Finding much = finding("conntrack-timeouts", () -> {});
    assertThat(much.text()).contains("remembered for 120 hours");
    mend(much);
    assertThat(look("conntrack-timeouts", () -> {}).findings()).isEmpty();

    write(MAX, "131072");
    assertThat(look("conntrack-growth", () -> ask("127.0.0.", 1, 1, 600)).findings()).isEmpty();
    assertThat(look("conntrack-talkers", () -> {}).findings()).isEmpty();
  }

  @Test
  void whatModeIpvsLacksIsFoundAndMended() throws Exception {
    device("kube-ipvs0", "type dummy");
    Path folder = Files.createTempDirectory("doctor");
    Path program = Files.copy(Path.of("/bin/sh"), folder.resolve("kube-proxy"));
    made.add(() -> Files.delete(folder));
    made.add(() -> Files.delete(program));
    assertThat(program.toFile().setExecutable(true)).isTrue();
    // Waits for a line that never comes.
    Process proxy =
        new ProcessBuilder(
                program.toString(),
                "-c",
                "read line",
                "kube-proxy",
                "--proxy-mode=ipvs",
                "--ipvs-scheduler=sed")
            .start();
    made.add(() -> {
      proxy.destroyForcibly();
      proxy.waitFor();
    });
    assertThat(look("kernel-needs", () -> {}).outcome().toString())
        .as("what the kernel of DoctorNodeTest may lack")
        .contains("Right", " for kube-proxy's mode ipvs")
        .doesNotContain("its configuration is");
    assertThat(finding("proxy-ipvs", () -> {}).text()).contains("ip_vs_sed");
    run("modprobe", "-a ip_vs ip_vs_sed nf_conntrack");
    assertThat(look("proxy-ipvs", () -> {}).findings()).isEmpty();

    set("net/ipv4/vs/conntrack", "0");
    set("net/ipv4/vs/expire_nodest_conn", "0");
    List<Finding> unset = look("sysctl-ipvs", () -> {}).findings();
    assertThat(unset)
        .extracting(Finding::object)
        .containsExactly("net.ipv4.vs.conntrack", "net.ipv4.vs.expire_nodest_conn");
    for (Finding one : unset) {
      mend(one);
    }
    assertThat(look("sysctl-ipvs", () -> {}).findings()).isEmpty();
  }

  @Test
  void tcpThatHoldsMoreThanItShouldIsFoundUntilItIsRead() throws Exception {
    String key = "net/ipv4/tcp_mem";
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        SocketChannel client = SocketChannel.open(server.getLocalSocketAddress());
        Socket accepted = server.accept()) {
      client.configureBlocking(false);
      ByteBuffer bytes = ByteBuffer.allocate(1 << 20);
      while (bytes.hasRemaining() && client.write(bytes) > 0) {
        assertThat(accepted.isConnected()).isTrue(); // and reads nothing
      }
      String usual = read(key);
      set(key, "8 16 100000");
      assertThat(finding("tcp-memory", () -> {}).text())
          .contains("TCP has more memory than it should", "saved from 16 on");
      write(key, usual);
      assertThat(look("tcp-memory", () -> {}).findings()).isEmpty();
    }
  }

  @Test
  void whatFilesSayAndTheMachineOrItsPodsDoNotHaveIsFoundAndMended() throws Exception {
    Path file = file("/etc/sysctl.d/98-doctor.conf", "net.core.somaxconn = 8191\n");
    set(WAITING, "512");
    assertThat(look("sysctl-files", () -> {}).findings())
        .anyMatch(one -> one.object().equals("net.core.somaxconn"));
    write(WAITING, "8191");
    assertThat(look("sysctl-files", () -> {}).findings())
        .noneMatch(one -> one.object().equals("net.core.somaxconn"));

    run("ip", "netns add sundt-doctor");
    made.add(() -> run("ip", "netns delete sundt-doctor"));
    device("doctor0", "type veth peer name eth0 netns sundt-doctor");
    assertThat(finding("sysctl-pods", () -> {}).text())
        .contains(file + " sets net.core.somaxconn=8,191 for the node", "1 pods have another");
    run("ip", "netns exec sundt-doctor sysctl -qw net.core.somaxconn=8191");
    assertThat(look("sysctl-pods", () -> {}).findings()).isEmpty();
  }

  @Test
  void aListThatNamesAModuleThatIsGoneIsFoundAndMended() throws Exception {
    Path list = file("/etc/modules-load.d/doctor.conf", "nf_conntrack_ipv4\n");
    assertThat(finding("module-lists", () -> {}).text()).contains(list + ": nf_conntrack_ipv4");
    Files.writeString(list, "nf_conntrack\n");
    assertThat(look("module-lists", () -> {}).findings()).isEmpty();
  }

  @Test
  void aBridgeWhosePacketsMeetNoRulesIsFoundAndMended() throws Exception {
    device("doctor0", "type bridge");
    run("modprobe", "br_netfilter");
    String key = "net/bridge/bridge-nf-call-iptables";
    set(key, "0");
    assertThat(finding("bridge-netfilter", () -> {}).text())
        .contains("Packets between two ports of a bridge meet no rules", "doctor0");
    write(key, "1");
    assertThat(look("bridge-netfilter", () -> {}).findings()).isEmpty();
  }

  @Test
  void whatADeviceLosesIsFoundWhileItLosesIt() throws Exception {
    device("doctor0", "type veth peer name doctor1");
    run("ip", "address add 10.9.0.1/24 dev doctor0");
    run("ip", "link set doctor0 up");
    run("ip", "link set doctor1 mtu 1000 up"); // larger packets end at it
    run("ip", "neighbour add 10.9.0.2 lladdr 02:00:00:00:00:02 dev doctor0 nud permanent");
    assertThat(look("interface-drops", () -> send("10.9.0.2", 1_400, 60)).findings())
        .anyMatch(one -> one.object().equals("doctor1") && one.severity() == Severity.WARNING);
    run("ip", "link set doctor1 mtu 1500");
    assertThat(look("interface-drops", () -> send("10.9.0.2", 1_400, 60)).findings())
        .noneMatch(one -> one.severity() == Severity.WARNING);
  }

  @Test
  void aProcessorsQueueThatIsTooShortIsFoundAndMended() throws Exception {
    device("doctor0", "type bridge");
    run("ip", "address add 10.9.0.1/24 dev doctor0");
    run("ip", "link set doctor0 up");
    // What is sent to all goes to each port at once.
    for (int i = 0; i < 8; i++) {
      device("doctora" + i, "type veth peer name doctorb" + i);
      run("ip", "link set doctora" + i + " master doctor0 up");
      run("ip", "link set doctorb" + i + " up");
    }
    device("vxlan7", "type vxlan id 7 dstport 4789 local 10.9.0.1");
    run("ip", "link set vxlan7 up");
    String key = "net/core/netdev_max_backlog";
    String usual = read(key);
    set(key, "1");
    assertThat(look("softnet-drops", () -> send("10.9.0.255", 100, 50)).findings())
        .anyMatch(one -> one.object().equals("softnet dropped"));
    assertThat(finding("overlay-loss", () -> send("10.9.0.255", 100, 50)).object())
        .isEqualTo("softnet");
    write(key, usual);
    assertThat(look("overlay-loss", () -> send("10.9.0.255", 100, 50)).findings()).isEmpty();
    assertThat(look("softnet-drops", () -> send("10.9.0.255", 100, 50)).findings())
        .noneMatch(
            one -> one.object().equals("softnet dropped") && one.severity() == Severity.ERROR);
  }

  @Test
  void aSlowClockIsFoundAndMended() throws Exception {
    Path clock = Path.of("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    String usual = Files.readString(clock).strip();
    made.add(() -> Files.writeString(clock, usual));
    Files.writeString(clock, "acpi_pm");
    assertThat(finding("clock-source", () -> {}).text())
        .contains("The kernel asks the time of acpi_pm");
    Files.writeString(clock, usual);
    assertThat(look("clock-source", () -> {}).findings()).isEmpty();
  }

  /** Rules for whose sake the kernel tracks connections. */
  private void track() throws Exception {
    run("nft", "add table ip seen");
    made.add(() -> run("nft", "delete table ip seen"));
    run("nft", "add chain ip seen out { type filter hook output priority 0; }");
    run("nft", "add rule ip seen out ct state new accept");
  }

  private void device(String name, String words) throws Exception {
    run("ip", "link add " + name + " " + words);
    made.add(() -> run("ip", "link delete " + name));
  }

  private Path file(String name, String text) throws IOException {
    Path file = Path.of(name);
    Files.createDirectories(file.getParent());
    made.add(() -> Files.delete(file));
    return Files.writeString(file, text);
  }

  private void set(String key, String value) throws IOException {
    before.putIfAbsent(key, read(key));
    write(key, value);
  }

  /** Sends packets of so many bytes that nobody awaits. */
  private static void send(String address, int bytes, int packets) throws IOException {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.setBroadcast(true);
      for (int i = 0; i < packets; i++) {
        socket.send(new DatagramPacket(new byte[bytes], bytes, InetAddress.getByName(address), 9));
      }
    }
  }
}
