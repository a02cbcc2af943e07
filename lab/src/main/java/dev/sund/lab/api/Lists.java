package dev.sund.lab.api;

import dev.sund.kube.tree.JsonText;
import dev.sund.kube.tree.Tree;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/** Answers list requests. */
final class Lists {
  private final Store store;
  private final Pages pages;
  private final Tables tables;

  Lists(Store store, Pages pages, Tables tables) {
    this.store = store;
    this.pages = pages;
    this.tables = tables;
  }

  /** The JSON of the list, or of one page of it. */
  byte[] list(Resource resource, Selector selector, Request request) throws StatusException {
    int limit = number(request, "limit");
    String token = request.parameter("continue");
    Pages.Rest rest;
    if (token.isEmpty()) {
      Store.Listing all = store.list(resource);
      List<Stored> selected =
          selector.all()
              ? all.objects()
              : all.objects().stream().filter(selector.matches()).toList();
      rest = new Pages.Rest(selected, all.version());
    } else {
      rest = pages.take(token);
    }
    int size = rest.objects().size();
    int count = limit > 0 ? Math.min(limit, size) : size;
    String next =
        count < size
            ? pages.keep(new Pages.Rest(rest.objects().subList(count, size), rest.version()))
            : "";
    List<Stored> page = rest.objects().subList(0, count);
    Optional<String> table = Tables.wanted(request);
    if (table.isPresent()) {
      Tree.Mapping metadata = Json.object("resourceVersion", String.valueOf(rest.version()));
      if (!next.isEmpty()) {
        metadata = metadata.with("continue", Json.text(next));
      }
      return tables.table(table.get(), resource, page, metadata, request);
    }
    return json(resource, page, rest.version(), next, size - count);
  }

  private static byte[] json(
      Resource resource, List<Stored> objects, long version, String next, int remaining) {
    StringBuilder head = new StringBuilder("{\"kind\":");
    JsonText.quote(resource.kind() + "List", head);
    head.append(",\"apiVersion\":");
    JsonText.quote(resource.apiVersion(), head);
    head.append(",\"metadata\":{\"resourceVersion\":\"").append(version).append('"');
    if (!next.isEmpty()) {
      head.append(",\"continue\":\"").append(next).append('"');
      head.append(",\"remainingItemCount\":").append(remaining);
    }
    head.append("},\"items\":[");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(head.toString().getBytes(StandardCharsets.UTF_8));
    boolean first = true;
    for (Stored object : objects) {
      if (!first) {
        out.write(',');
      }
      first = false;
      out.writeBytes(object.json());
    }
    out.writeBytes("]}\n".getBytes(StandardCharsets.UTF_8));
    return out.toByteArray();
  }

  static int number(Request request, String name) throws StatusException {
    String text = request.parameter(name);
    if (text.isEmpty()) {
      return 0;
    }
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException _) {
      throw StatusException.badRequest(name + " must be a number, but is '" + text + "'");
    }
  }
}
