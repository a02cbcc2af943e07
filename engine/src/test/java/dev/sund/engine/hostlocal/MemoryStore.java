package dev.sund.engine.hostlocal;

import dev.sund.model.Ip;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/** A store in memory. */
final class MemoryStore implements AddressStore {
  private final TreeMap<Ip, AddressOwner> owners = new TreeMap<>();
  private final Map<Integer, Ip> last = new HashMap<>();

  @Override
  public boolean take(Ip ip, AddressOwner owner, int set) {
    if (owners.putIfAbsent(ip, owner) != null) {
      return false;
    }
    last.put(set, ip);
    return true;
  }

  @Override
  public Optional<Ip> lastTaken(int set) {
    return Optional.ofNullable(last.get(set));
  }

  @Override
  public List<Ip> of(AddressOwner owner) {
    return owners.keySet().stream().filter(ip -> Objects.equals(owners.get(ip), owner)).toList();
  }

  @Override
  public boolean isTaken(Ip ip) {
    return owners.containsKey(ip);
  }

  @Override
  public List<Ip> release(AddressOwner owner) {
    List<Ip> gone = of(owner);
    gone.forEach(owners::remove);
    return gone;
  }

  @Override
  public void close() {}
}
