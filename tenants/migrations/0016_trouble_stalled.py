from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0015_number_asked"),
    ]

    operations = [
        migrations.AlterField(
            model_name="trouble",
            name="kind",
            field=models.CharField(
                choices=[
                    ("TOKEN", "Toegang ingetrokken"),
                    ("LOCKED", "Account geblokkeerd"),
                    ("PAYMENT", "Betaling geweigerd"),
                    ("UNREGISTERED", "Nummer niet geregistreerd"),
                    ("RESTRICTED", "Beperkt door Meta"),
                    ("QUALITY", "Kwaliteit te laag"),
                    ("LIMIT", "Berichtenlimiet bereikt"),
                    ("SILENT", "Onverwacht stil"),
                    ("STANDBY", "Door een andere toepassing overgenomen"),
                    ("DISCONNECTED", "Losgekoppeld"),
                    ("UNREACHABLE", "Meta onbereikbaar"),
                    ("STALLED", "Berichten staan stil"),
                    ("PIN", "Pincode aangevraagd of uitgezet"),
                ],
                max_length=20,
            ),
        ),
    ]
