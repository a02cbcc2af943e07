package dev.sund.dataplane.xtables;

import dev.sund.dataplane.xtables.LegacyForwardDriver.State;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.xtables.FilterSocket;
import dev.sund.kernel.xtables.FilterTable;
import dev.sund.model.Family;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Looks whether the tables of {@code iptables-legacy} have become other than they were as far as
 * pods' packets are concerned, since the kernel does not tell. Sockets of its own, for a thread of
 * its own; a look costs two readings of small files where nobody uses that program.
 */
public final class LegacyLook implements AutoCloseable {
  private final List<FilterSocket> tables;
  private final LongSupplier ownChanges;
  private Map<Family, State> last = Map.of();
  private long lastOwn;

  private LegacyLook(List<FilterSocket> tables, LongSupplier ownChanges) {
    this.tables = tables;
    this.ownChanges = ownChanges;
  }

  /**
   * Opens the tables of a namespace.
   *
   * @param ownChanges {@link LegacyForwardDriver#changes} of its driver
   */
  public static LegacyLook open(NetNs namespace, LongSupplier ownChanges) throws KernelException {
    return new LegacyLook(LegacyForwardDriver.sockets(namespace), ownChanges);
  }

  /**
   * Whether something changed since the look before. A change of our own counts, since what it did
   * may have been undone before this look, which then sees what the last one saw.
   */
  public boolean changed() throws KernelException {
    long own = ownChanges.getAsLong(); // before reading: a later one is for the next look
    Map<Family, State> now = new EnumMap<>(Family.class);
    for (FilterSocket socket : tables) {
      Optional<FilterTable> table = socket.read();
      table.ifPresent(read -> now.put(socket.family(), State.of(read)));
    }
    boolean changed = !now.equals(last) || own != lastOwn;
    last = now;
    lastOwn = own;
    return changed;
  }

  @Override
  public void close() {
    tables.forEach(FilterSocket::close);
  }
}
