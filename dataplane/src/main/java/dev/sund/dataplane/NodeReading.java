package dev.sund.dataplane;

import dev.sund.dataplane.nft.NftPort;
import dev.sund.dataplane.rows.PodRow;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.FdbEntry;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.Neighbour;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteFilter;
import dev.sund.model.Family;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * All that the kernel holds of a node, read once, without changing anything and without asking an
 * agent: what {@link Lift} and {@link Verify} judge.
 *
 * @param links all devices
 * @param addresses all addresses
 * @param routes of the main table, foreign ones too
 * @param neighbours of all devices
 * @param fdb of all devices
 * @param insides the pods' ends, by host-side device; those whose namespace was not found are not
 *     in it
 * @param table our nf_tables table, empty when there is none
 * @param policies our table of policies, empty when there is none
 */
public record NodeReading(
    List<Link> links,
    List<Address> addresses,
    List<RouteEntry> routes,
    List<Neighbour> neighbours,
    List<FdbEntry> fdb,
    Map<String, PodRow.InsideSide> insides,
    Optional<NftContents> table,
    Optional<NftContents> policies) {

  /** Where container runtimes and {@code ip netns} keep the names of namespaces. */
  private static final List<Path> DIRECTORIES =
      List.of(NetNs.DIRECTORY, Path.of("/run/docker/netns"));

  public NodeReading {
    links = List.copyOf(links);
    addresses = List.copyOf(addresses);
    routes = List.copyOf(routes);
    neighbours = List.copyOf(neighbours);
    fdb = List.copyOf(fdb);
    insides = Map.copyOf(insides);
  }

  /**
   * Reads a node whose pods' namespaces have names.
   *
   * @throws KernelException when the node itself could not be read
   */
  public static NodeReading of(NetNs node) throws KernelException {
    try (SocketRoutes routes = SocketRoutes.open(node);
        NftPort nft = NftPort.over(NftSocket.open(node));
        NftPort policies = NftPort.ofPolicies(NftSocket.open(node))) {
      return read(routes, nft, policies, namedNamespaces());
    }
  }

  /**
   * Reads.
   *
   * @param namespaces where pods may be; those that are not or cannot be entered are left out
   */
  public static NodeReading read(
      KernelRoutes kernel, NftPort nft, NftPort policies, Collection<Path> namespaces)
      throws KernelException {
    List<Link> links = kernel.links();
    List<RouteEntry> routes = new ArrayList<>();
    List<Neighbour> neighbours = new ArrayList<>();
    for (Family family : Family.values()) {
      routes.addAll(kernel.routes(RouteFilter.main(family)));
      neighbours.addAll(kernel.neighbours(family, 0));
    }
    return new NodeReading(
        links,
        kernel.addresses(),
        routes,
        neighbours,
        kernel.fdb(0),
        insides(kernel, links, namespaces),
        nft.contents(),
        policies.contents());
  }

  /** The namespaces that have names. */
  public static List<Path> namedNamespaces() {
    List<Path> paths = new ArrayList<>();
    for (Path directory : DIRECTORIES) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
        files.forEach(paths::add);
      } catch (IOException _) {
        // no such directory, no namespaces
      }
    }
    return paths;
  }

  private static Map<String, PodRow.InsideSide> insides(
      KernelRoutes kernel, List<Link> links, Collection<Path> namespaces) {
    Map<Integer, List<Link>> wanted = new HashMap<>();
    for (Link link : links) {
      if (RowReader.isPodLink(link) && link.peerNamespace().isPresent()) {
        wanted.computeIfAbsent(link.peerNamespace().getAsInt(), _ -> new ArrayList<>()).add(link);
      }
    }
    Map<String, PodRow.InsideSide> insides = new HashMap<>();
    PodSide podSide = new PodSide(kernel, "read");
    for (Path path : namespaces) {
      if (wanted.isEmpty()) {
        break;
      }
      try (KernelRoutes.Inside inside = kernel.enter(path)) {
        OptionalInt id = kernel.namespaceId(inside);
        List<Link> there = id.isPresent() ? wanted.remove(id.getAsInt()) : null;
        if (there != null) {
          for (Link link : there) {
            podSide.read(inside, link).ifPresent(side -> insides.put(link.name(), side));
          }
        }
      } catch (KernelException _) {
        // gone meanwhile, or no namespace at all: its pod counts as not read
      }
    }
    return insides;
  }

  /** The name of the device of this index, {@code #7} for one that is gone. */
  public String deviceName(int index) {
    return links.stream()
        .filter(link -> link.index() == index)
        .map(Link::name)
        .findFirst()
        .orElse("#" + index);
  }
}
