import java.util.zip.ZipFile

// What is no API is not in the Javadoc that users read.
def target = new File(basedir, '../..').canonicalFile
def javadoc = target.listFiles().find { it.name.endsWith('-javadoc.jar') }
assert javadoc != null : "no Javadoc jar in ${target}"
new ZipFile(javadoc).withCloseable { zip ->
  def names = zip.entries().collect { it.name }
  assert names.contains('io/matryoshka/sae/SAE.html')
  assert names.every { !it.contains('/internal/') } : names.findAll { it.contains('/internal/') }
}
return true
