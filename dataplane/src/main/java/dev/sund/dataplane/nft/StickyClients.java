package dev.sund.dataplane.nft;

import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.engine.program.Frontend.View;
import dev.sund.engine.program.Masquerade;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Commit;
import dev.sund.kernel.nft.Data;
import dev.sund.kernel.nft.NftElement;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftTable;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The clients that the kernel remembers, and whether what they would be led to is still an endpoint
 * for them. Rules add them and renew their time; those that lead nowhere are forgotten here, or a
 * client would be led to an endpoint that is gone for as long as it keeps asking.
 */
final class StickyClients {
  private static final int AT_ONCE = 500;
  private static final int TRIES = 10;
  private static final NftTable TABLE = MasqueradeLowering.TABLE;

  private final NftPort nft;
  private final FrontendEntries rows;
  private final Collection<Masquerade> ranges;
  private final Map<Frontend.Key, Map<View, Set<Bytes>>> endpoints = new HashMap<>();

  /**
   * Over these rows.
   *
   * @param ranges the wanted rows, of which those of the cluster say who asks from inside
   */
  StickyClients(NftPort nft, FrontendEntries rows, Collection<Masquerade> ranges) {
    this.nft = nft;
    this.rows = rows;
    this.ranges = ranges;
  }

  /**
   * Forgets those whose endpoint is gone.
   *
   * @return how many there were
   */
  int forgetLost() throws KernelException {
    int forgotten = 0;
    for (Family family : Family.values()) {
      String map = TablePart.clients(family);
      for (int i = 0; i < TRIES; i++) {
        List<NftElement> lost =
            nft.elements(map).stream().filter(element -> !isRight(family, element)).toList();
        if (lost.isEmpty()) {
          break;
        }
        forgotten += forget(map, lost);
      }
    }
    return forgotten;
  }

  private int forget(String map, List<NftElement> lost) throws KernelException {
    int forgotten = 0;
    for (int from = 0; from < lost.size(); from += AT_ONCE) {
      List<NftElement> part = lost.subList(from, Math.min(lost.size(), from + AT_ONCE));
      List<NftOp> ops = new ArrayList<>();
      for (NftElement element : part) {
        ops.add(
            new NftOp.DeleteElements(
                TABLE.family(), TABLE.name(), map, List.of(NftElement.of(element.key()))));
      }
      Commit commit = nft.commit(ops);
      // One whose time ended meanwhile refuses all: those that are left are found again.
      if (commit instanceof Commit.Refused(var failures)
          && failures.stream()
              .allMatch(failure -> failure.reason() instanceof KernelException.NotFound)) {
        continue;
      }
      commit.orThrow();
      forgotten += part.size();
    }
    return forgotten;
  }

  private boolean isRight(Family family, NftElement element) {
    int length = family.bytes();
    Bytes key = element.key();
    if (key.length() != 2 * length + 8
        || !(element.data().orElse(null) instanceof Data.Value(Bytes endpoint))) {
      return false;
    }
    FrontendGroup whole = family == Family.V4 ? FrontendGroup.V4 : FrontendGroup.V6;
    return FrontendKeys.frontend(whole, key.slice(length, key.length()))
        .map(this::met)
        .filter(frontend -> frontend.affinity().isPresent())
        .filter(frontend -> answers(frontend, Ip.of(key.slice(0, length).toArray()), endpoint))
        .isPresent();
  }

  /** The frontend that a packet to an address meets. */
  private @Nullable Frontend met(Frontend.Key at) {
    return rows.frontend(at)
        .or(() ->
            rows.frontend(
                new Frontend.Key(
                    new Place.AnyLocal(at.place().family()), at.protocol(), at.port())))
        .orElse(null);
  }

  private boolean answers(Frontend frontend, Ip client, Bytes endpoint) {
    Map<View, Set<Bytes>> known = endpoints.computeIfAbsent(frontend.key(), this::endpointsByView);
    Set<Bytes> inside = known.getOrDefault(View.INSIDE, Set.of());
    if (!frontend.isSplit()) {
      return inside.contains(endpoint);
    }
    return known.getOrDefault(View.OUTSIDE, Set.of()).contains(endpoint)
        || (inside.contains(endpoint) && mayBeInside(client));
  }

  private Map<View, Set<Bytes>> endpointsByView(Frontend.Key key) {
    Map<View, Set<Bytes>> byView = new HashMap<>();
    for (Endpoint endpoint : rows.endpointsOf(key)) {
      byView
          .computeIfAbsent(endpoint.key().view(), _ -> new HashSet<>())
          .add(FrontendKeys.address(endpoint.address(), endpoint.port()));
    }
    return byView;
  }

  /**
   * Whether a client is a pod or on a bridge, or the node: which lends its addresses to endpoints
   * on it.
   */
  private boolean mayBeInside(Ip client) {
    return ranges.stream()
            .anyMatch(range ->
                (range.part() == Masquerade.Part.CLUSTER || range.part() == Masquerade.Part.BRIDGED)
                    && range.range().contains(client))
        || rows.isLent(client);
  }
}
