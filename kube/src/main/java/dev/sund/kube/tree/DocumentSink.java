package dev.sund.kube.tree;

import java.util.List;

/** Takes the documents of a text one after another. */
public interface DocumentSink {
  /**
   * One element of the list {@code items} of the document that is being read; {@link #document}
   * follows, with {@code items} empty.
   */
  void item(Tree item);

  /** A whole document; an empty document is not told. */
  void document(Tree document);

  /** One that keeps each document in {@code documents}, and passes over items. */
  static DocumentSink into(List<Tree> documents) {
    return new DocumentSink() {
      @Override
      public void item(Tree item) {}

      @Override
      public void document(Tree document) {
        documents.add(document);
      }
    };
  }
}
