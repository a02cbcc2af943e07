package dev.sund.kernel;

import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.nft.Commit;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftFamily;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.nft.NftTable;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.LinkKind;
import dev.sund.kernel.route.LinkSetting;
import dev.sund.kernel.route.Neighbour;
import dev.sund.kernel.route.RouteBatch;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteFilter;
import dev.sund.kernel.route.RouteMonitor;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.kernel.route.Vxlan;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.Prefix;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A program that a test runs with few capabilities: does everything once, prints what failed. */
public final class CapabilityProbe {
  private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  private CapabilityProbe() {}

  private interface Step {
    void run() throws KernelException;
  }

  /** Arguments: the path of one namespace, or two. */
  public static void main(String[] arguments) throws KernelException {
    NetNs node = NetNs.at(Path.of(arguments[0]));
    if (arguments.length == 1) { // started inside it
      attempt("links here", () -> links(NetNs.ofProcess()));
      attempt("links by entering", () -> links(node));
      return;
    }
    NetNs pod = NetNs.at(Path.of(arguments[1]));
    attempt("links", () -> links(node));
    attempt("pod", () -> pod(node, pod));
    attempt("fabric", () -> fabric(node));
    attempt("nft", () -> nft(node));
    attempt("sysctl", () -> Sysctl.ipv4("ip_forward").write(node, 1));
    attempt("monitor", () -> RouteMonitor.open(node).close());
  }

  private static void attempt(String name, Step step) {
    try {
      step.run();
      OUT.println(name + ": fine");
    } catch (KernelException.Denied e) {
      OUT.println(name + ": denied " + e.capability() + ": " + e.getMessage());
    } catch (KernelException e) {
      OUT.println(name + ": " + e.getMessage());
    }
  }

  private static void links(NetNs namespace) throws KernelException {
    try (RouteSocket socket = RouteSocket.open(namespace)) {
      socket.links();
      socket.routes(RouteFilter.all(Family.V6));
    }
  }

  private static void pod(NetNs node, NetNs pod) throws KernelException {
    try (RouteSocket socket = RouteSocket.open(node);
        RouteSocket inPod = RouteSocket.open(pod, Buffers.SMALL);
        Fd podFd = pod.open()) {
      applyAll(
          socket,
          new RouteBatch()
              .createLink(
                  "v0",
                  new LinkKind.Veth("eth0", Optional.empty(), 0, 2, podFd.number()),
                  new LinkSetting.LinkLocal(false),
                  new LinkSetting.Alias("sund"),
                  new LinkSetting.Up(true)));
      applyAll(
          inPod,
          new RouteBatch()
              .up("eth0")
              .put(Address.of(2, InterfaceAddress.parse("10.244.1.5/32")))
              .put(Address.of(2, InterfaceAddress.parse("fd00::5/128"))));
    }
  }

  private static void fabric(NetNs node) throws KernelException {
    try (RouteSocket socket = RouteSocket.open(node)) {
      applyAll(
          socket,
          new RouteBatch()
              .createLink(
                  "vx0", Vxlan.fixed(1, 4789, Ip.parse("127.0.0.1"), 0), new LinkSetting.Up(true)));
      int device = socket.link("vx0").orElseThrow().index();
      applyAll(
          socket,
          new RouteBatch()
              .put(Neighbour.permanent(device, Ip.parse("192.0.2.2"), new Mac(2)))
              .put(
                  RouteEntry.to(Prefix.parse("10.244.2.0/24"))
                      .withDevice(device)
                      .withGateway(Ip.parse("192.0.2.2"))
                      .withOnlink()));
    }
  }

  private static void nft(NetNs node) throws KernelException {
    try (NftSocket socket = NftSocket.open(node)) {
      NftTable table = NftTable.of(NftFamily.INET, "sundt", "");
      NftChain chain =
          NftChain.base(table, "post", "nat", NftChain.Hook.POSTROUTING, NftChain.PRIORITY_SRCNAT);
      Commit commit =
          socket.commit(List.of(new NftOp.CreateTable(table), new NftOp.CreateChain(chain)));
      if (commit instanceof Commit.Refused(var failures)) {
        throw failures.getFirst().reason();
      }
      if (socket.contents(NftFamily.INET, "sundt").isEmpty()) {
        throw new IllegalStateException("the table is not there");
      }
    }
  }

  private static void applyAll(RouteSocket socket, RouteBatch batch) throws KernelException {
    for (var outcome : socket.apply(batch)) {
      outcome.orThrow();
    }
  }
}
